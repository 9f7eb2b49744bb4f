package cli

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/serve"
)

// serveOptions say where evenkeel run can be asked, beside its socket.
type serveOptions struct {
	serve.Address
	tokenFile string
	hosts     []string
	// umhMetrics has metrics under UMH Core's names as well.
	umhMetrics bool
}

// read finds out what those may ask for. The error says what is wrong with the
// options.
func (o *serveOptions) read() (err error) {
	switch {
	case o.At == "" && o.tokenFile != "":
		return errors.New("cannot take a token where nobody can give it: name an address with --http, or take out --http-write")
	case o.At == "":
		return nil
	}
	host, _, err := net.SplitHostPort(o.At)
	if err != nil {
		return fmt.Errorf("cannot listen on %q: %w: give it as HOST:PORT, such as 127.0.0.1:8080", o.At, err)
	}
	o.Access.Hosts = append(slices.Clone(o.hosts), host)
	if o.tokenFile != "" {
		o.Access.Token, err = readToken(o.tokenFile)
	}
	return err
}

// readToken returns what is in a file that nobody else can read.
func readToken(path string) (token string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot take a token: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return "", fmt.Errorf("cannot take a token: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("cannot take the token in %s: others can read it: chmod 600 it", path)
	}
	text, err := io.ReadAll(io.LimitReader(file, 4<<10))
	if err != nil {
		return "", fmt.Errorf("cannot take a token: %w", err)
	}
	if token = strings.TrimSpace(string(text)); len(token) < minToken {
		return "", fmt.Errorf("cannot take the token in %s: it has fewer than %d characters", path, minToken)
	}
	return token, nil
}

// minToken is how many characters a token has at least, so that nobody guesses it.
const minToken = 16
