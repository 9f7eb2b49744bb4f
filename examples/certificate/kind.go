package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"path"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
	"github.com/evenkeel/evenkeel/fsm"
)

// The states of a certificate, its events, and what is done to it.
const (
	Pending  fsm.State = "pending"  // it was made, and not seen to serve
	Valid    fsm.State = "valid"    // it serves, and there is time to renew it
	Degraded fsm.State = "degraded" // it does not serve, or was not renewed in time

	issued fsm.Event  = "issued"
	failed fsm.Event  = "failed"
	issue  fsm.Action = "issue"
	remove fsm.Action = "remove"
)

// Spec is what a certificate is made from.
type Spec struct {
	Host string        `json:"host"`
	Life time.Duration `json:"life"` // the last third of it is for the renewal
}

// Observed is what the file of a certificate says.
type Observed struct {
	Exists bool      `json:"exists"`
	Host   string    `json:"host,omitempty"`
	Ends   time.Time `json:"ends,omitzero"` // zero where it holds no certificate
}

// NewKind returns the kind of instance that is a self-signed certificate with
// its key, in a file of the directory.
func NewKind(fsys filesystem.FS, dir string) (fsm.Kind[*Spec, Observed], error) {
	table, err := fsm.NewTable(fsm.TableSpec{
		Name: "certificate",
		States: []fsm.StateSpec{
			{Name: Pending, Phase: fsm.PhaseStopped},
			{Name: Valid, Phase: fsm.PhaseRunning},
			{Name: Degraded, Phase: fsm.PhaseDegraded},
		},
		Initial: Pending,
		Targets: []fsm.Target{{Name: Valid, Phase: fsm.PhaseRunning}},
		Rows: slices.Concat(
			fsm.Rows(issued, Valid, Pending, Degraded),
			fsm.Rows(failed, Degraded, Pending, Valid),
			fsm.Rows(fsm.EventRemove, fsm.StateRemoving, Valid, Degraded),
		),
	})
	open := func(name string, _ func()) (fsm.Driver[*Spec, Observed], error) {
		return &driver{fsys, path.Join(dir, name+".pem")}, nil
	}
	return fsm.Kind[*Spec, Observed]{Name: "certificate", Table: table, Decide: decide, Open: open}, err
}

// decide is the state machine of a certificate.
func decide(in fsm.Input[*Spec, Observed]) fsm.Decision {
	switch {
	case in.State == fsm.StateRemoving && in.Observed.Exists:
		return fsm.Decision{Do: []fsm.Action{remove}, Reason: in.Asked()}
	case in.State == fsm.StateRemoving:
		return fsm.Decision{Fire: fsm.EventRemoveDone, Reason: fsm.Because("its file is gone")}
	case in.Desired.State == fsm.StateRemoved:
		return fsm.Decision{Fire: fsm.EventRemove, Reason: in.Asked()}
	}
	serves, why := judge(in.Observed, in.Desired.Spec, in.Now)
	switch {
	case serves && in.State == fsm.StateCreating:
		return fsm.Decision{Fire: fsm.EventCreateDone, Reason: fsm.Because("it is there")}
	case serves && in.State != Valid:
		return fsm.Decision{Fire: issued, Reason: fsm.Because("it serves")}
	case !serves && (in.State == Pending || in.State == Valid):
		return fsm.Decision{Fire: failed, Reason: why}
	case why != fsm.Reason{}:
		return fsm.Decision{Do: []fsm.Action{issue}, Reason: why}
	}
	return fsm.Decision{}
}

// judge says whether a certificate serves, and why another has to take its
// place. A certificate that was not renewed in half of the time for that does
// not serve any more.
func judge(o Observed, spec *Spec, now time.Time) (serves bool, why fsm.Reason) {
	left := o.Ends.Sub(now)
	switch {
	case o.Ends.IsZero():
		return false, fsm.Because("there is none")
	case o.Host != spec.Host:
		return false, fsm.Because("it is for another host").With(o.Host)
	case left < spec.Life/6:
		return false, fsm.Because("it was not renewed in time")
	case left < spec.Life/3:
		return true, fsm.Because("it is to be renewed")
	}
	return true, fsm.Reason{}
}

type driver struct {
	fsys filesystem.FS
	file string
}

// Observe implements fsm.Driver.
func (d *driver) Observe(context.Context, fsm.Desired[*Spec]) (Observed, error) {
	text, err := d.fsys.ReadFile(d.file)
	if errors.Is(err, fs.ErrNotExist) {
		return Observed{}, nil
	}
	o := Observed{Exists: true}
	if pair, bad := tls.X509KeyPair(text, text); bad == nil {
		o.Host, o.Ends = pair.Leaf.Subject.CommonName, pair.Leaf.NotAfter
	}
	return o, err
}

// Do implements fsm.Driver.
func (d *driver) Do(ctx context.Context, action fsm.Action, desired fsm.Desired[*Spec]) error {
	if action == remove {
		return d.fsys.Remove(d.file)
	}
	text, err := certify(desired.Spec, fsm.Now(ctx))
	if err != nil {
		return err
	}
	return d.fsys.ReplaceFile(d.file, text, 0o600)
}

// certify returns a certificate and its key in PEM.
func certify(s *Spec, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: s.Host}, DNSNames: []string{s.Host},
		NotBefore: now, NotAfter: now.Add(s.Life),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})
	return append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})...), err
}
