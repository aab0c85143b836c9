package rt

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// URL returns the address that the request of a site goes to.
func (e *E) URL(site int) string { return fmt.Sprintf("http://%s/%d", e.host, site) }

// runs finds the run that a request of the default client belongs to, by its host.
var runs sync.Map

// transport answers requests as the input says.
type transport struct{}

func init() { http.DefaultTransport = transport{} }

func (transport) RoundTrip(req *http.Request) (*http.Response, error) {
	v, _ := runs.Load(req.URL.Host)
	e := v.(*E)
	site, _ := strconv.Atoi(strings.TrimPrefix(req.URL.Path, "/"))
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	if e.Ask(1000 + site) {
		return nil, errors.New("no connection")
	}
	status := 200
	if e.Ask(2000 + site) {
		status = 500
	}
	b := &body{e: e, ctx: req.Context(), site: site, r: bytes.NewReader([]byte("line 1\nline 2\n")), upload: req.Body != nil && req.GetBody == nil}
	e.mu.Lock()
	for _, other := range e.bodies {
		if other.site == site && !other.closed {
			e.peaks = append(e.peaks, site)
		}
	}
	e.bodies = append(e.bodies, b)
	e.mu.Unlock()
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, ContentLength: int64(b.r.Len()),
		Header: http.Header{"X-Name": {"body"}}, Body: b, Request: req,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}, nil
}

// NewRequest takes the place of http.NewRequestWithContext, and of
// http.NewRequest with no context: it may fail.
func NewRequest(e *E, ctx context.Context, method, url string, body io.Reader) (*http.Request, error) {
	site, _ := strconv.Atoi(url[strings.LastIndexByte(url, '/')+1:])
	if e.Ask(3000 + site) {
		return nil, errors.New("no request")
	}
	return http.NewRequestWithContext(ctx, method, url, body)
}

// ReadResponse takes the place of http.ReadResponse: what is read may be broken.
func ReadResponse(e *E, site int, r *bufio.Reader, req *http.Request) (*http.Response, error) {
	if e.Ask(site) {
		return nil, errors.New("no response")
	}
	return http.ReadResponse(r, req)
}

// Scan takes the place of the method of a scanner: a body may be empty.
func Scan(e *E, site int, lines *bufio.Scanner) bool {
	e.mu.Lock()
	first := !slices.Contains(e.scanned, lines)
	if first {
		e.scanned = append(e.scanned, lines)
	}
	e.mu.Unlock()
	if first && e.Ask(site) {
		return false
	}
	return lines.Scan()
}

// upload is a body of which nobody knows how long it takes.
type upload struct{ io.Reader }

// Body returns a body to upload.
func (e *E) Body(int) io.Reader { return upload{strings.NewReader("chunks")} }

// body is the body of a response.
type body struct {
	e      *E
	ctx    context.Context
	site   int
	r      *bytes.Reader
	closed bool
	upload bool // of which the request is still being sent when the response comes
	cut    bool
}

func (b *body) Read(p []byte) (int, error) {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if b.closed {
		return 0, errors.New("http: read on closed response body")
	}
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	return b.r.Read(p)
}

func (b *body) Close() error {
	b.e.mu.Lock()
	defer b.e.mu.Unlock()
	if b.upload && !b.closed && !b.e.returned {
		b.cut = true
	}
	b.closed = true
	return nil
}

// left returns the sites whose bodies are open, those of which several were open
// at once, and what became of the uploads.
func (e *E) left() (open, peaks []int, uploads []string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range e.bodies {
		if !b.closed {
			open = append(open, b.site)
		}
		if b.upload {
			uploads = append(uploads, fmt.Sprintf("upload %d cut off: %v", b.site, b.cut))
		}
	}
	slices.Sort(open)
	slices.Sort(uploads)
	slices.Sort(e.peaks)
	return slices.Compact(open), slices.Compact(e.peaks), uploads
}
