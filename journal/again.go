package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/evenkeel/evenkeel/fsm"
)

// ErrUndecided is the error of Again for a pass in which nothing was decided: it could
// not observe its instance, or nothing was asked of that.
var ErrUndecided = errors.New("nothing was decided in the pass")

// Again returns what a kind decides now about a pass, and whether that is what was
// decided then. Of the kind only Decide is used. Texts of the decision are masked, as
// those of the record are. The error says that the pass is none of the kind, or that
// the kind panicked.
func Again[D, O any](kind fsm.Kind[D, O], p *Pass) (decided fsm.Decision, same bool, err error) {
	if p.Input == nil {
		return decided, false, ErrUndecided
	}
	defer func() {
		if panicked := recover(); panicked != nil {
			err = fmt.Errorf("cannot decide again: the kind panicked: %v", panicked)
		}
	}()
	var in fsm.Input[D, O]
	if err := json.Unmarshal(p.Input, &in); err != nil {
		return decided, false, fmt.Errorf("cannot decide again: what was decided on is not of this kind: %w", err)
	}
	masked, err := json.Marshal(kind.Decision(in))
	if err != nil {
		return decided, false, err
	}
	if err := json.Unmarshal(masked, &decided); err != nil {
		return decided, false, err
	}
	return decided, reflect.DeepEqual(decided, p.Decision), nil
}
