package fsm

import "reflect"

// Decision returns what a pass is to do. It is pure. It asks Decide, except in
// to_be_created and removed, which an instance leaves as soon as it is asked
// for anything else, and except while there is no spec to work from.
func (k *Kind[D, O]) Decision(in Input[D, O]) Decision {
	removal := in.Desired.State == StateRemoved
	switch {
	case in.State == StateRemoved && removal:
		return Decision{}
	case in.State == StateToBeCreated && removal:
		return Decision{Fire: EventRemove, Reason: in.Asked()}
	case !removal && in.State != StateRemoving && missing(in.Desired.Spec):
		return Decision{Reason: Because("there is no spec to work from").With("what is asked for was declared without one")}
	case in.State == StateToBeCreated, in.State == StateRemoved:
		return Decision{Fire: EventCreate, Reason: in.Asked()}
	}
	return k.Decide(in)
}

// missing reports whether a spec that is handed over by pointer is nil.
func missing[D any](spec D) bool {
	return reflect.TypeFor[D]().Kind() == reflect.Pointer && reflect.ValueOf(spec).IsNil()
}
