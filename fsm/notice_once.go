package fsm

import "sync"

// standing remembers what was said of instances and still stands, for as long as
// it does: names come and go, and nothing of them is kept. The zero value has
// nothing.
type standing struct {
	mu   sync.Mutex // guards said
	said map[remark]string
}

// remark is something that can be said of an instance again and again.
type remark struct {
	kind, name string
	warning    bool // and not that it is refused
}

// news reports whether a notice says more than what stands.
func (s *standing) news(n Notice) bool {
	about := n.About()
	refusal, warning := remark{about.Kind, about.Instance, false}, remark{about.Kind, about.Instance, true}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch n := n.(type) {
	case Refused:
		return s.say(refusal, maskedText(n.Err))
	case RefusalEnded:
		delete(s.said, refusal)
	case Warned:
		return s.say(warning, maskedText(n.Err))
	case Transition, Closed:
		delete(s.said, warning)
	}
	return true
}

// say notes what is said, and reports whether it was not said before. The caller
// holds mu.
func (s *standing) say(r remark, text string) bool {
	if said, known := s.said[r]; known && said == text {
		return false
	}
	if s.said == nil {
		s.said = make(map[remark]string)
	}
	s.said[r] = text
	return true
}
