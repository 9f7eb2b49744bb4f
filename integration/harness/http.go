package harness

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/evenkeel/evenkeel/benthos"
)

// Get asks for a page.
func Get(url string) (status int, body string, err error) {
	return request(http.MethodGet, url, "", 0)
}

// Post sends a message; nil means that it was answered with 200. The streams of
// the tests hold the message for the delay.
func Post(url, message string, delay time.Duration) error {
	status, body, err := request(http.MethodPost, url, message, delay)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("status %d: %s", status, body)
	}
	return err
}

// Received returns how many messages the engine at an address, a host:port, says
// that it has taken.
func Received(t testing.TB, addr string) uint64 {
	t.Helper()
	client := benthos.NewClient(benthos.ClientConfig{Timeout: answerTime})
	defer client.Close()
	m, err := client.Metrics(context.Background(), addr)
	require.NoError(t, err)
	return m.InputReceived
}

// answerTime is how long an answer may take, on a busy machine too.
const answerTime = 30 * time.Second

func request(method, url, body string, delay time.Duration) (status int, answer string, err error) {
	client := http.Client{Timeout: answerTime + delay, Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	// As curl -d does.
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if delay > 0 {
		req.Header.Set("Delay", delay.String())
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(data), err
}
