package s6

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"log/slog"
	"regexp"
	"strconv"
	"sync"

	"github.com/evenkeel/evenkeel/fsm"
)

var (
	_ fsm.Masker[*Spec]    = (*Spec)(nil)
	_ fsm.Masker[Observed] = (*Observed)(nil)
)

// Masked implements fsm.Masker: it returns a Spec to show, not to run. Each
// value of Env is masked, and arguments as by fsm.MaskArgs. ConfigFiles and
// Note are replaced by their size and hash.
func (s *Spec) Masked() *Spec {
	if s == nil {
		return nil
	}
	shown := *s
	shown.Command = fsm.MaskArgs(s.Command)
	shown.Finish = fsm.MaskArgs(s.Finish)
	shown.Ready.Check = fsm.MaskArgs(s.Ready.Check)
	shown.Check.HTTP, shown.Check.Exec = fsm.MaskText(s.Check.HTTP), fsm.MaskArgs(s.Check.Exec)
	shown.Env = mapped(s.Env, fsm.MaskSecret)
	shown.ConfigFiles = mapped(s.ConfigFiles, digest)
	shown.Note = digest(s.Note)
	return &shown
}

// String returns the JSON of Masked, so that a Spec can be printed. The JSON of
// the Spec itself is not masked.
func (s Spec) String() string {
	text, err := json.Marshal(s.Masked())
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// LogValue implements slog.LogValuer: the JSON of Masked.
func (s Spec) LogValue() slog.Value { return slog.AnyValue(json.RawMessage(s.String())) }

// Masked implements fsm.Masker: texts are masked as by fsm.MaskText.
func (o *Observed) Masked() Observed {
	shown := *o
	for _, text := range []*string{
		&shown.LoggerProblem, &shown.CommandProblem, &shown.StatusProblem, &shown.Complaint, &shown.Damage, &shown.LastWords,
		&shown.Check.What, &shown.Check.Problem, &shown.Check.Why,
	} {
		*text = fsm.MaskText(*text)
	}
	return shown
}

func mapped(m map[string]string, f func(string) string) map[string]string {
	if m == nil {
		return nil
	}
	shown := make(map[string]string, len(m))
	for key, value := range m {
		shown[key] = f(value)
	}
	return shown
}

// digested is what digest returns.
var digested = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\d+ bytes, SHA-256 [0-9a-f]{64}$`) })

// digest returns the length and hash of a text. A digest stays as it is, and so
// does the empty text.
func digest(text string) string {
	if text == "" || digested().MatchString(text) {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return strconv.Itoa(len(text)) + " bytes, SHA-256 " + hex.EncodeToString(sum[:])
}
