package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/api/page"
	"github.com/evenkeel/evenkeel/benthos"
	"github.com/evenkeel/evenkeel/config"
	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
	"github.com/evenkeel/evenkeel/journal"
	"github.com/evenkeel/evenkeel/runner"
	"github.com/evenkeel/evenkeel/s6"
	"github.com/evenkeel/evenkeel/s6/logs"
)

// serveOptions say where evenkeel run can be asked, beside its socket.
type serveOptions struct {
	address   string
	tokenFile string
	hosts     []string
	// umhMetrics has metrics under UMH Core's names as well.
	umhMetrics bool
	access     api.Access // what those may ask for who connect to the address
}

// read finds out what those may ask for. The error says what is wrong with the
// options.
func (o *serveOptions) read() (err error) {
	switch {
	case o.address == "" && o.tokenFile != "":
		return errors.New("cannot take a token where nobody can give it: name an address with --http, or take out --http-write")
	case o.address == "":
		return nil
	}
	host, _, err := net.SplitHostPort(o.address)
	if err != nil {
		return fmt.Errorf("cannot listen on %q: %w: give it as HOST:PORT, such as 127.0.0.1:8080", o.address, err)
	}
	o.access.Hosts = append(slices.Clone(o.hosts), host)
	if o.tokenFile != "" {
		o.access.Token, err = readToken(o.tokenFile)
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

// server answers whoever asks an evenkeel run.
type server struct {
	cancel  context.CancelFunc
	serving sync.WaitGroup
}

// serve answers on the socket in a directory, where profiles can be had as well, and
// on the address if there is one.
// That nobody can ask harms nothing that is kept: problems are told.
func serve(dir string, o serveOptions, a *api.Server, tell func(problem error)) *server {
	ctx, cancel := context.WithCancel(context.Background())
	s := &server{cancel: cancel}
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
	if o.address != "" {
		l, err := net.Listen("tcp", o.address)
		if err != nil {
			err = fmt.Errorf("cannot be asked over HTTP: %w", err)
		}
		listen(a.Handler(o.access), l, err)
	}
	l, err := api.ListenUnix(dir)
	listen(withProfiles(a.Handler(api.Access{Local: true})), l, err)
	return s
}

// end ends that.
func (s *server) end() {
	s.cancel()
	s.serving.Wait()
}

// shown is what an evenkeel run in dir shows.
func shown(dir string, r *runner.Runner, feed *api.Feed, notReady func() []string, also map[string]http.Handler) *api.Server {
	h := hands{r}
	return &api.Server{
		Sources: []api.Source{api.Of(r.Services, serviceFigures), api.Of(r.Streams, streamFigures)},
		Feed:    feed, Hands: h, Late: r.Late, NotReady: notReady, Explain: h.explain, Config: h.files, Log: logOf(dir), History: historyIn(dir), Page: page.Handler(), Also: also, Version: version(),
	}
}

// historyIn returns what the journal in dir has of instances.
func historyIn(dir string) func(kind, name string) ([]fsm.Transition, error) {
	return func(kind, name string) ([]fsm.Transition, error) {
		all, _, err := journal.History(filesystem.OS{}, journalDir(dir), name)
		return slices.DeleteFunc(all, func(t fsm.Transition) bool { return t.Kind != kind }), err
	}
}

// logOf writes lines of the logs in dir, each with its time before it.
func logOf(dir string) func(ctx context.Context, name string, of api.LogLines, to io.Writer) error {
	return func(ctx context.Context, name string, of api.LogLines, to io.Writer) error {
		p := linePrinter{to: to, escape: true, stamps: true}
		reader := logs.Open(filesystem.OS{}, logsIn(dir), logs.Options{Names: []string{name}, Since: of.Since, Last: of.Last, Follow: of.Follow})
		for line := range reader.Lines(ctx) {
			if line.Err != nil {
				return line.Err
			}
			if err := p.print(line); err != nil {
				return err
			}
		}
		return nil
	}
}

func serviceFigures(s *fsm.Snapshot[*s6.Spec, s6.Observed]) api.Figures {
	o := &s.Observed
	f := api.Figures{PID: o.PID(), Restarts: o.Restarts}
	if f.PID != 0 {
		f.Up = o.Status.Stamp
	}
	return f
}

func streamFigures(s *fsm.Snapshot[*benthos.Config, benthos.Observed]) (f api.Figures) {
	o := &s.Observed
	if o.Service != nil {
		f = serviceFigures(o.Service)
	}
	if t := &o.Traffic; !t.At.IsZero() {
		f.Traffic = &api.Traffic{
			Received: t.InputReceived, Sent: t.OutputSent, Failed: t.OutputErrors,
			ReceivedRate: t.InputRate, SentRate: t.OutputRate,
		}
	}
	return f
}

// hands carry out what is asked of an evenkeel run by hand.
type hands struct{ runner *runner.Runner }

func (h hands) key(kind, name string) config.Key {
	if kind == benthos.KindName {
		return config.Key{Kind: config.KindStream, Name: name}
	}
	return config.Key{Kind: config.KindService, Name: name}
}

func (h hands) Stop(_ context.Context, kind, name, by string) error {
	return h.runner.StopByHand(h.key(kind, name), by)
}

func (h hands) Start(_ context.Context, kind, name, _ string) error {
	return h.runner.StartByHand(h.key(kind, name))
}

func (h hands) Restart(ctx context.Context, kind, name, _ string) error {
	if kind == benthos.KindName {
		return h.runner.Streams.Restart(ctx, name)
	}
	return h.runner.Services.Restart(ctx, name)
}

func (h hands) Retry(_ context.Context, kind, name, _ string) error {
	if kind == benthos.KindName {
		return h.runner.Streams.Retry(name)
	}
	return h.runner.Services.Retry(name)
}

// explain says how what was stopped by hand runs again.
func (h hands) explain(w fsm.Why) fsm.Why {
	for _, o := range h.runner.StoppedByHand() {
		if o.Key() == h.key(w.Kind, w.Name) {
			w.Chain = append(w.Chain, fsm.Link{Part: fsm.PartHelp, Text: "start it by hand: evenkeel start " + w.Name})
		}
	}
	return w
}

// files returns the files of an instance's service.
func (h hands) files(kind, name string) ([]api.File, error) {
	was, is, err := h.runner.Shown(h.key(kind, name))
	if err != nil {
		return nil, fmt.Errorf("cannot show the files of %s: %w", name, err)
	}
	at := make(map[string]int)
	var all []api.File
	for _, f := range was {
		at[f.Name] = len(all)
		all = append(all, api.File{Name: f.Name, Was: f.Text})
	}
	for _, f := range is {
		if n, there := at[f.Name]; there {
			all[n].Is = f.Text
		} else {
			all = append(all, api.File{Name: f.Name, Is: f.Text})
		}
	}
	return all, nil
}
