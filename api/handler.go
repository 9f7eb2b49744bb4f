package api

import (
	"cmp"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
)

// Handler serves it to those who may ask for so much.
func (s *Server) Handler(access Access) http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("evenkeel", cmp.Or(s.Version, "unknown"))
	config.Info.Description = "The instances that a program keeps in the state that is asked for."
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "/api/openapi", "", ""
	config.CreateHooks = nil // answers hold what they are to hold, and no links to schemas
	config.Formats = map[string]huma.Format{"application/json": format, "json": format}
	api := humago.New(mux, config)
	s.read(api)
	s.changes(api, newLedger())
	s.stream(api)
	s.write(api)
	s.rights(api, access)
	if s.Page != nil {
		mux.Handle("GET /{$}", s.Page)
		mux.Handle("GET "+PagePath, s.Page)
	}
	for pattern, handler := range s.Also {
		mux.Handle(pattern, handler)
	}
	return access.guard(mux)
}

// format is JSON, of which nothing does something to a terminal.
var format = huma.Format{
	Marshal: func(w io.Writer, v any) error {
		text, err := shownJSON(v)
		if err != nil {
			return err
		}
		_, err = w.Write(append(text, '\n'))
		return err
	},
	Unmarshal: huma.DefaultJSONFormat.Unmarshal,
}
