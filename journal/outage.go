package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/fsm"
)

// retries are the times after which a disk that refused something is tried again.
var retries = fsm.Backoff{Base: time.Second, Cap: time.Minute, Jitter: -1}

// keeper writes records as long as the disk takes them, and counts them otherwise. It
// is one goroutine's.
type keeper struct {
	*writer
	pid  int // that is recorded as the one that has begun, 0 once it is
	tell func(error)
	anew func() // all instances are to be recorded whole again

	missing int    // records, since the last gap that was written
	why     string // the first of them
	fails   int    // in a row
	retryAt time.Time
	told    bool // that the disk refuses something
}

// keep records what fits.
func (k *keeper) keep(r Record) {
	if k.waits() {
		k.miss(1, k.why)
		return
	}
	err := k.putGap()
	if err == nil {
		err = k.putBegun()
	}
	if err == nil {
		err = k.put(r)
	}
	switch {
	case errors.Is(err, errNoLine):
		k.miss(1, err.Error())
	case err != nil:
		k.fail(err, 1)
	}
}

// waits reports whether the disk is not to be tried yet.
func (k *keeper) waits() bool { return time.Now().Before(k.retryAt) }

func (k *keeper) miss(count int, why string) {
	if k.missing == 0 {
		k.why = why
	}
	k.missing += count
}

// putBegun puts that the program has begun, before its first record.
func (k *keeper) putBegun() error {
	if k.pid == 0 {
		return nil
	}
	if err := k.put(Record{At: time.Now(), Begun: &Begun{k.pid}}); err != nil {
		return err
	}
	k.pid = 0
	return nil
}

// putGap puts how many records are missing, if any are.
func (k *keeper) putGap() error {
	if k.missing == 0 {
		return nil
	}
	if err := k.putBegun(); err != nil {
		return err
	}
	if err := k.put(Record{At: time.Now(), Gap: &Gap{k.missing, k.why}}); err != nil {
		return err
	}
	k.missing = 0
	return nil
}

// fail counts what was lost, and tells the first failure in a row.
func (k *keeper) fail(err error, lost int) {
	why := fsm.MaskText(err.Error())
	k.miss(lost+k.drop(), why)
	k.fails++
	k.retryAt = time.Now().Add(retries.Delay(k.fails))
	k.complain(err)
}

func (k *keeper) complain(err error) {
	if !k.told {
		k.told = true
		k.tell(fmt.Errorf("cannot write the journal in %s: %w: what happens meanwhile is not recorded, and all else goes on", k.dir, err))
	}
}

// settle appends what there is.
func (k *keeper) settle() {
	if k.waits() {
		return
	}
	err := k.putGap()
	if err == nil {
		err = k.flush()
	}
	switch {
	case err != nil:
		k.fail(err, 0)
	case k.fails > 0:
		k.fails, k.retryAt = 0, time.Time{}
		k.anew()
	}
}

// secure has on disk what was appended, and forgets that the disk was in trouble if it
// no longer is. Nothing is to be appended then.
func (k *keeper) secure() {
	if k.syncAt.IsZero() {
		return
	}
	if err := k.sync(); err != nil {
		k.complain(err)
		return
	}
	k.told = k.told && k.fails > 0
	if size, _, err := k.ending(k.number); err != nil || size != k.size {
		// Somebody has removed or changed it: what was recorded before is no base
		// for what comes.
		k.number = 0
		k.anew()
	}
}

// due returns when there is something to do, the zero time for nothing.
func (k *keeper) due() time.Time {
	switch {
	case k.fails > 0 && (k.syncAt.IsZero() || k.retryAt.Before(k.syncAt)):
		return k.retryAt
	default:
		return k.syncAt
	}
}

// finish tries for the last time.
func (k *keeper) finish() error {
	k.retryAt = time.Time{}
	k.settle()
	k.secure()
	if k.missing > 0 {
		return fmt.Errorf("cannot write the last %d records of the journal in %s: %s", k.missing, k.dir, k.why)
	}
	return nil
}
