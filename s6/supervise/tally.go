package supervise

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/filesystem"
)

// TallySize is the length of one record of a death tally: a TAI64N label, the
// exit code and the signal.
const TallySize = tai64nSize + 2

// Death is one record of supervise/death_tally: one end of run.
type Death struct {
	// Time is when it was reaped.
	Time time.Time `json:"time,omitzero"`
	// ExitCode is the exit code, 128 plus the signal where one killed it.
	ExitCode int `json:"exitCode"`
	// Signal is the signal that killed it, 0 where it exited by itself.
	Signal syscall.Signal `json:"signal,omitempty"`
}

// DecodeTally reads a death tally, oldest record first. s6-supervise appends
// while others read, so an incomplete record at the end is ignored. A record
// without a valid stamp is a *StampError, returned with the records before it.
func DecodeTally(b []byte) ([]Death, error) {
	deaths := make([]Death, 0, len(b)/TallySize)
	for ; len(b) >= TallySize; b = b[TallySize:] {
		at, err := decodeTAI64N(b[:tai64nSize])
		if err != nil {
			return deaths, fmt.Errorf("cannot read record %d of death tally: %w", len(deaths), err)
		}
		deaths = append(deaths, Death{Time: at, ExitCode: int(b[12]), Signal: syscall.Signal(b[13])})
	}
	return deaths, nil
}

// AppendDeath appends one record to dst. The record holds the low eight bits of
// ExitCode and Signal.
func AppendDeath(dst []byte, d Death) []byte {
	return append(appendTAI64N(dst, d.Time), byte(d.ExitCode), byte(d.Signal))
}

// ReadTally reads supervise/death_tally of a service directory. s6-supervise
// keeps 100 records there, or as many as max-death-tally says (4096 at most),
// and empties it when it starts. Where there is none yet the error satisfies
// errors.Is(err, fs.ErrNotExist).
func ReadTally(fsys filesystem.FS, serviceDir string) ([]Death, error) {
	name := serviceDir + "/supervise/death_tally"
	b, err := fsys.ReadFile(name)
	if err != nil {
		return nil, err
	}
	deaths, err := DecodeTally(b)
	if err != nil {
		return deaths, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return deaths, nil
}
