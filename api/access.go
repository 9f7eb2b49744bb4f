package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Access says what those may ask for who can connect. The zero value lets them read.
type Access struct {
	// Local: nobody connects but who may do everything, as over a socket that others
	// cannot open. No other field counts then.
	Local bool
	// Hosts are the names, without ports, by which browsers may reach it. Literal
	// addresses and localhost may in any case; another name may have been made to
	// point here by whoever has it.
	Hosts []string
	// Token, if not empty, lets whoever knows it write, too.
	Token string
}

type callerKey struct{}

// callerOf keeps in a context who asks.
func callerOf(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, callerKey{}, who)
}

// whoAsks returns who asks, in words.
func whoAsks(ctx context.Context) string {
	if who, known := ctx.Value(callerKey{}).(string); known {
		return who
	}
	return "somebody"
}

// guard lets pass what may be asked for.
func (a Access) guard(next http.Handler) http.Handler {
	if a.Local {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodOptions
		w.Header().Set("X-Content-Type-Options", "nosniff")
		switch {
		case !a.knows(r.Host):
			http.Error(w, "this name is not one of this program's: use its address, localhost, or a name that it was told", http.StatusMisdirectedRequest)
		case !sameOrigin(r):
			http.Error(w, "other pages may not ask this program", http.StatusForbidden)
		case !reads && a.Token == "":
			http.Error(w, "here one can only read: ask over the socket, or have the program take a token", http.StatusForbidden)
		case !reads && !a.holds(r.Header.Get("Authorization")):
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "for this the token of the program is needed: Authorization: Bearer TOKEN", http.StatusUnauthorized)
		default:
			next.ServeHTTP(w, r.WithContext(callerOf(r.Context(), "the holder of the token, from "+r.RemoteAddr)))
		}
	})
}

// knows reports whether a browser may have reached this program by that name.
func (a Access) knows(host string) bool {
	name := host
	if without, _, err := net.SplitHostPort(host); err == nil {
		name = without
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if _, err := netip.ParseAddr(name); err == nil || strings.EqualFold(name, "localhost") {
		return true
	}
	for _, known := range a.Hosts {
		if known != "" && strings.EqualFold(name, known) {
			return true
		}
	}
	return false
}

// sameOrigin reports whether no page of another origin asks.
func sameOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	_, host, is := strings.Cut(origin, "://")
	return is && strings.EqualFold(host, r.Host)
}

// holds reports whether an Authorization header has the token.
func (a Access) holds(authorization string) bool {
	given, is := strings.CutPrefix(authorization, "Bearer ")
	want, got := sha256.Sum256([]byte(a.Token)), sha256.Sum256([]byte(given))
	return is && subtle.ConstantTimeCompare(want[:], got[:]) == 1
}
