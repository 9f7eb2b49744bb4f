package serve

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"

	"github.com/evenkeel/evenkeel/api"
)

// Address is where a program can be asked beside its socket; the zero Address is
// nowhere.
type Address struct {
	At     string     // HOST:PORT
	Access api.Access // what those may ask for who connect to it
}

// Server answers whoever asks a program.
type Server struct {
	cancel  context.CancelFunc
	serving sync.WaitGroup
}

// Begin answers on the socket in a program's directory, where profiles can be had as
// well, and on an address if there is one. That nobody can ask harms nothing that is kept: problems are told.
func Begin(dir string, also Address, a *api.Server, tell func(problem error)) *Server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{cancel: cancel}
	listen := func(handler http.Handler, l net.Listener, err error) {
		if err != nil {
			tell(err)
			return
		}
		s.serving.Go(func() {
			if err := api.Serve(ctx, l, handler); err != nil {
				tell(err)
			}
		})
	}
	if also.At != "" {
		l, err := net.Listen("tcp", also.At)
		if err != nil {
			err = fmt.Errorf("cannot be asked over HTTP: %w", err)
		}
		listen(a.Handler(also.Access), l, err)
	}
	l, err := api.ListenUnix(dir)
	listen(withProfiles(a.Handler(api.Access{Local: true})), l, err)
	return s
}

// End ends that.
func (s *Server) End() {
	s.cancel()
	s.serving.Wait()
}
