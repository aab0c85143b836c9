package gen

import (
	"fmt"
	"strings"
)

// FromMemory is the first option of a "resp" that is read from a string.
const FromMemory = 11

// resp: a request with the check of its error, and in its block what follows.
// Options: how it is sent, the check, the declaration.
func (p *printer) resp(n *Node) {
	resp, req, url := fmt.Sprintf("resp%d", n.ID), fmt.Sprintf("req%d", n.ID), fmt.Sprintf("e.URL(%d)", n.ID)
	request := func() {
		if parent := p.nodes[n.Ref]; n.Ref != 0 && parent != nil {
			p.f("%s, err := http.NewRequestWithContext(ctx%d, \"GET\", %s, nil)", req, n.Ref, url)
		} else {
			p.f("%s, err := http.NewRequest(\"GET\", %s, nil)", req, url)
		}
		p.f("if err != nil {")
		p.leave(n.ID)
		p.f("}")
	}
	call := ""
	switch n.Opt[0] {
	case 0:
		call = "http.Get(" + url + ")"
	case 1:
		call = "c.Get(" + url + ")"
	case 2:
		request()
		call = "c.Do(" + req + ")"
	case 3:
		call = "c.Post(" + url + ", \"text/plain\", strings.NewReader(\"up\"))"
	case 4:
		call = fmt.Sprintf("c.Post(%s, \"text/plain\", e.Body(%d))", url, n.ID)
	case 5:
		request()
		call = "c.Transport.RoundTrip(" + req + ")"
	case 6:
		p.declare("func %s(c *http.Client, url string) (*http.Response, error) {\nreturn c.Get(url)\n}", p.name("fetch", n.ID))
		call = p.name("fetch", n.ID) + "(c, " + url + ")"
	case 7:
		request()
		p.declare("type %s interface { Do(*http.Request) (*http.Response, error) }", p.name("doer", n.ID))
		p.f("var doer%d %s = c", n.ID, p.name("doer", n.ID))
		call = fmt.Sprintf("doer%d.Do(%s)", n.ID, req)
	case 8:
		p.declare("func %s[A any](f func(A) (*http.Response, error), a A) (*http.Response, error) {\nreturn f(a)\n}", p.name("call", n.ID))
		call = p.name("call", n.ID) + "(c.Get, " + url + ")"
	case 9:
		p.f("get%d := c.Get", n.ID)
		call = fmt.Sprintf("get%d(%s)", n.ID, url)
	case FromMemory:
		call = "http.ReadResponse(bufio.NewReader(strings.NewReader(\"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok\")), nil)"
	default:
		p.declare("type %s struct { client *http.Client }\n\nfunc (a %s) get(url string) (*http.Response, error) {\nresp, err := a.client.Get(url)\nif err != nil {\nreturn nil, fmt.Errorf(\"get: %%w\", err)\n}\nreturn resp, nil\n}", p.name("api", n.ID), p.name("api", n.ID))
		p.f("api%d := %s{c}", n.ID, p.name("api", n.ID))
		call = fmt.Sprintf("api%d.get(%s)", n.ID, url)
	}
	follows := p.capture(func() { p.kids(n, 0) })
	if !strings.Contains(follows, resp) {
		follows = fmt.Sprintf("e.Log(\"s%d\", %s.StatusCode)\n", n.ID, resp) + follows
	}
	err := "err"
	if n.Opt[1] == 6 {
		p.f("if %s, err := %s; err == nil {\n%s}", resp, call, follows)
		return
	}
	if n.Opt[2] == 0 {
		p.f("%s, err := %s", resp, call)
	} else {
		err = fmt.Sprintf("err%d", n.ID)
		p.f("var %s *http.Response\nvar %s error\n%s, %s = %s", resp, err, resp, err, call)
	}
	giveUp := func() { p.fail(err) }
	switch n.Opt[1] {
	case 0:
		p.f("if %s != nil {", err)
		giveUp()
	case 1:
		p.f("if %s != nil {\ne.Log(\"failed\", %s)", err, err)
		p.leave(n.ID)
	case 2:
		p.f("if %s == nil {\n%s", err, follows)
		follows = ""
	case 3:
		p.f("if %s != nil || %s.StatusCode >= 500 {", err, resp)
		p.leave(n.ID)
	case 4:
		p.f("switch {\ncase %s != nil:", err)
		giveUp()
	case 5:
		p.f("if %s != nil {\nlog.Fatal(%s)", err, err)
	default:
		p.f("if %s != nil {\ne.Log(\"failed\")\n} else {\n%s", err, follows)
		follows = ""
	}
	p.f("}")
	p.b.WriteString(follows)
}

// close closes a body. Option: how.
func (p *printer) close(n *Node) {
	resp := fmt.Sprintf("resp%d", n.Ref)
	switch n.Opt[0] {
	case 0:
		p.f("defer %s.Body.Close()", resp)
	case 1:
		p.f("%s.Body.Close()", resp)
	case 2:
		p.f("defer func() { %s.Body.Close() }()", resp)
	case 3:
		p.declare("func %s(c io.Closer) { c.Close() }", p.name("shut", n.ID))
		p.f("defer %s(%s.Body)", p.name("shut", n.ID), resp)
	case 4:
		p.f("defer func() {\n%s.Body.Close()\ne.Log(\"closed%d\")\n}()", resp, n.ID)
	case 5:
		p.declare("func %s(r *http.Response, n *int) {\nr.Body.Close()\n*n += 100\n}", p.name("finish", n.ID))
		p.f("defer %s(%s, &n)", p.name("finish", n.ID), resp)
	case 6:
		p.declare("func %s(e *rt.E, c io.Closer, n int) {\nc.Close()\ne.Log(\"closed\", n)\n}", p.name("shut", n.ID))
		p.f("defer %s(e, %s.Body, n)", p.name("shut", n.ID), resp)
	case 7:
		p.f("go func() { %s.Body.Close() }()", resp)
	case 8:
		p.f("if err := %s.Body.Close(); err != nil {\ne.Log(\"close\", err)\n}", resp)
	case 9:
		p.f("io.Copy(io.Discard, %s.Body)\n%s.Body.Close()", resp, resp)
	case 10:
		p.f("e.Later(func() { %s.Body.Close() })", resp)
	case 11:
		p.f("body%d := %s.Body\ndefer body%d.Close()", n.ID, resp, n.ID)
	case 12:
		p.declare("func %s(f func() error) { f() }", p.name("invoke", n.ID))
		p.f("defer %s(%s.Body.Close)", p.name("invoke", n.ID), resp)
	default:
		p.f("stop%d := %s.Body.Close\ndefer stop%d()", n.ID, resp, n.ID)
	}
}

// read uses a response. Option: how.
func (p *printer) read(n *Node) {
	resp := fmt.Sprintf("resp%d", n.Ref)
	switch n.Opt[0] {
	case 0:
		p.f("e.Log(\"status\", %s.StatusCode)", resp)
	case 1:
		p.f("data%d, err := io.ReadAll(%s.Body)\ne.Log(\"read\", string(data%d), err)", n.ID, resp, n.ID)
	case 2:
		p.f("var first%d [1]byte\nk%d, err := io.ReadFull(%s.Body, first%d[:])\ne.Log(\"read\", k%d, err)", n.ID, n.ID, resp, n.ID, n.ID)
	case 3:
		p.f("if %s.StatusCode >= 500 {", resp)
		p.kids(n, 0)
		p.leave(n.ID)
		p.f("}")
	case 4:
		p.declare("func %s(r io.Reader) (string, error) {\nb, err := io.ReadAll(r)\nreturn string(b), err\n}", p.name("slurp", n.ID))
		p.f("text%d, err := %s(%s.Body)\ne.Log(\"read\", text%d, err)", n.ID, p.name("slurp", n.ID), resp, n.ID)
	case 5:
		p.f("lines%d := bufio.NewScanner(%s.Body)", n.ID, resp)
		p.loop(n.ID, fmt.Sprintf("for lines%d.Scan()", n.ID), func() { p.f("e.Log(lines%d.Text())", n.ID); p.kids(n, 0) })
	case 6:
		p.f("defer func() {\nrest, err := io.Copy(io.Discard, %s.Body)\ne.Log(\"rest\", rest, err != nil)\n}()", resp)
	case 7:
		p.f("if e.Ask(%d) {\ndefer func() {\nrest, err := io.Copy(io.Discard, %s.Body)\ne.Log(\"rest\", rest, err != nil)\n}()\n}", n.ID, resp)
	case 8:
		p.f("e.Later(func() {\nrest, err := io.Copy(io.Discard, %s.Body)\ne.Log(\"rest\", rest, err != nil)\n})", resp)
	default:
		p.f("hand%d := %s.Body\ngo func() {\nrest, err := io.Copy(io.Discard, hand%d)\ne.Log(\"rest\", rest, err != nil)\nhand%d.Close()\n}()", n.ID, resp, n.ID, n.ID)
	}
}
