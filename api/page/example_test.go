package page_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/evenkeel/evenkeel/api"
	"github.com/evenkeel/evenkeel/api/page"
)

// A program that shows its instances shows them in a browser as well.
func ExampleHandler() {
	server := &api.Server{Feed: api.NewFeed(), Page: page.Handler()} // and Sources, as api.Of makes them
	handler := server.Handler(api.Access{})

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "http://localhost/", nil))
	fmt.Println(answer.Code, answer.Header().Get("Content-Type"))
	// Output: 200 text/html; charset=utf-8
}
