package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/haldane-canary/haldane"
)

// A Client asks a Server. It is safe for concurrent use.
type Client struct {
	base  *url.URL
	token string
	http  *http.Client
}

// answerTimeout is how long an answer that is no stream may take. Rollbacks
// answer at once; an advance waits for the stream's acknowledgement.
const answerTimeout = 15 * time.Second

// maxAnswer bounds what is read of an answer that is no stream.
const maxAnswer = 256 << 20

// NewClient returns a client of the server at a URL such as
// http://127.0.0.1:9900, that shows token if it is not "".
func NewClient(server, token string) (*Client, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("server %q: write its URL, such as http://127.0.0.1:9900", server)
	}
	return &Client{base: u, token: token, http: &http.Client{}}, nil
}

// List returns where every rollout stands.
func (c *Client) List(ctx context.Context) (sts []haldane.Status, err error) {
	return sts, c.call(ctx, http.MethodGet, nil, &sts, "api", "v1", "rollouts")
}

// Get returns where one rollout stands.
func (c *Client) Get(ctx context.Context, name string) (st haldane.Status, err error) {
	return st, c.call(ctx, http.MethodGet, nil, &st, "api", "v1", "rollouts", name)
}

// Do carries out a verb and returns where the rollout then stands.
func (c *Client) Do(ctx context.Context, name, verb, reason string) (st haldane.Status, err error) {
	body := map[string]string{"reason": reason}
	return st, c.call(ctx, http.MethodPost, body, &st, "api", "v1", "rollouts", name, verb)
}

// Accounts returns what was decided on every rollout, in sum, the latest first.
func (c *Client) Accounts(ctx context.Context) (as []Account, err error) {
	return as, c.call(ctx, http.MethodGet, nil, &as, "api", "v1", "accounts")
}

// Account returns all decisions on a rollout, the oldest first.
func (c *Client) Account(ctx context.Context, rollout string) (ds []haldane.Decision, err error) {
	return ds, c.call(ctx, http.MethodGet, nil, &ds, "api", "v1", "accounts", rollout)
}

// Events calls fn with each decision that f wants, as a CloudEvent without
// line end, until there are no more, ctx ends, fn fails or the server goes.
func (c *Client) Events(ctx context.Context, f Filter, fn func(event []byte) error) error {
	q := url.Values{}
	for key, v := range map[string]string{"service": f.Service, "rollout": f.Rollout, "kind": f.Kind} {
		if v != "" {
			q.Set(key, v)
		}
	}
	if !f.Since.IsZero() {
		q.Set("since", f.Since.UTC().Format(time.RFC3339Nano))
	}
	if f.Follow {
		q.Set("follow", strconv.FormatBool(true))
	}
	resp, err := c.send(ctx, http.MethodGet, nil, q, "api", "v1", "events")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return lines(resp.Body, fn)
}

// An Update is one event of a rollout's stream: either member is set.
type Update struct {
	Status   *haldane.Status
	Decision *haldane.Decision
}

// Stream calls fn with where a rollout stands, again and again, and with each
// decision on it, until ctx ends, fn fails or the server goes. Those of the
// present generation so far come first; after a reconnect they come again.
func (c *Client) Stream(ctx context.Context, name string, fn func(Update) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A connection that is silent for much longer than the server ever is has
	// been lost without a word.
	const silence = 5 * statusEvery
	lost := time.AfterFunc(silence, cancel)
	defer lost.Stop()
	resp, err := c.send(ctx, http.MethodGet, nil, nil, "api", "v1", "rollouts", name, "stream")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	kind := ""
	return lines(resp.Body, func(line []byte) error {
		lost.Reset(silence)
		if k, ok := bytes.CutPrefix(line, []byte("event: ")); ok {
			kind = string(k)
			return nil
		}
		data, ok := bytes.CutPrefix(line, []byte("data: "))
		if !ok {
			return nil
		}
		u, err := updateOf(kind, data)
		if err != nil {
			return err
		}
		return fn(u)
	})
}

// updateOf reads one event of a stream. Kinds that it does not know are empty
// updates.
func updateOf(kind string, data []byte) (u Update, err error) {
	switch kind {
	case "status":
		err = json.Unmarshal(data, &u.Status)
	case "decision":
		var event struct {
			Data *haldane.Decision `json:"data"`
		}
		err = json.Unmarshal(data, &event)
		u.Decision = event.Data
	}
	if err != nil {
		return Update{}, fmt.Errorf("read %s: %w", kind, err)
	}
	return u, nil
}

// lines calls fn with each line of r, which ends after the last.
func lines(r io.Reader, fn func(line []byte) error) error {
	in := bufio.NewScanner(r)
	const longest = 64 << 20 // an event carries the counts of its verdict
	in.Buffer(make([]byte, 0, 64<<10), longest)
	for in.Scan() {
		if err := fn(in.Bytes()); err != nil {
			return err
		}
	}
	return in.Err()
}

// call asks for the resource at the path of the given segments and reads the
// answer into v.
func (c *Client) call(ctx context.Context, method string, body, v any, path ...string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	resp, err := c.send(ctx, method, body, nil, path...)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v); err != nil {
		return fmt.Errorf("read the answer of %s: %w", c.base, err)
	}
	return nil
}

// send returns the answer to a request, or an error: an *Error if the server
// has refused it.
func (c *Client) send(ctx context.Context, method string, body any, q url.Values, path ...string) (*http.Response, error) {
	for i, segment := range path {
		path[i] = url.PathEscape(segment)
	}
	u := c.base.JoinPath(path...)
	u.RawQuery = q.Encode()
	var content io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("encode request to %s: %w", u, err)
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, u.String(), content)
	if err != nil {
		return nil, fmt.Errorf("ask %s: %w", u, err)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("no answer from %s (is `haldane serve` running? --server or HALDANE_SERVER says where): %w", c.base, cause(err))
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, refusal(resp)
}

// cause returns what is inside a *url.Error, whose text repeats the URL.
func cause(err error) error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		return inner.Err
	}
	return err
}

// refusal returns the *Error that resp carries.
func refusal(resp *http.Response) error {
	e := &Error{Status: resp.StatusCode}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxBody))
	if err != nil || json.Unmarshal(b, e) != nil || e.Message == "" {
		e.Message = "answer " + resp.Status
		e.Hint = strings.TrimSpace("is this a haldane server? " + resp.Header.Get("Server"))
	}
	return e
}
