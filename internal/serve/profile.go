package serve

import (
	"net/http"
	"net/http/pprof"
	"strings"
)

// profilePath is where the profiles of a program are.
const profilePath = "/debug/pprof/"

// withProfiles adds to what a handler serves what Go tells of its own program: where
// time and memory go. A profile takes time of the program, and so it is for those
// alone who may do everything.
func withProfiles(handler http.Handler) http.Handler {
	profiles := http.NewServeMux()
	profiles.HandleFunc(profilePath, pprof.Index)
	profiles.HandleFunc(profilePath+"cmdline", pprof.Cmdline)
	profiles.HandleFunc(profilePath+"profile", pprof.Profile)
	profiles.HandleFunc(profilePath+"symbol", pprof.Symbol)
	profiles.HandleFunc(profilePath+"trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, profilePath) {
			profiles.ServeHTTP(w, r)
			return
		}
		handler.ServeHTTP(w, r)
	})
}
