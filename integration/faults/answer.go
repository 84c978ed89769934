package faults

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// answerFault is how the API answers a request with a good credential.
type answerFault string

const (
	wellBehaved answerFault = ""

	// Without acting on it.
	cutUnread       answerFault = "api: cut before the request was read"
	cutUnacted      answerFault = "api: cut before acting"
	unavailable     answerFault = "api: 503"
	tooMany         answerFault = "api: 429 with Retry-After"
	rejects         answerFault = "api: 401 to a good credential"
	rejectsEndless  answerFault = "api: 401 with an endless body"
	rejectsTrickle  answerFault = "api: 401 with a body that trickles"
	rejectsCut      answerFault = "api: 401 whose body is cut"
	redirectsWithin answerFault = "api: 307 within the API"
	redirectsAway   answerFault = "api: 302 or 307 to another host"

	// After acting on it, if it is a start.
	cutBeforeHeader answerFault = "api: cut before the header"
	cutInHeader     answerFault = "api: cut in the header"
	cutInBody       answerFault = "api: cut in the body"
	slowHeader      answerFault = "api: slow header"
	slowBody        answerFault = "api: slow body"
	hangs           answerFault = "api: hangs"
	failsWith5xx    answerFault = "api: 500 or 502"
	closesIdle      answerFault = "api: closes the idle connection"
	seeOther        answerFault = "api: 303 to the status"
	seeOtherAway    answerFault = "api: 303 to another host"
)

var answerFaults = []weight[answerFault]{
	{wellBehaved, 50},
	{cutUnread, 3}, {cutUnacted, 4}, {unavailable, 4}, {tooMany, 6},
	{rejects, 6}, {rejectsEndless, 2}, {rejectsTrickle, 2}, {rejectsCut, 2},
	{redirectsWithin, 3}, {redirectsAway, 4},
	{cutBeforeHeader, 6}, {cutInHeader, 4}, {cutInBody, 5},
	{slowHeader, 4}, {slowBody, 4}, {hangs, 2}, {failsWith5xx, 6},
	{closesIdle, 5}, {seeOther, 4}, {seeOtherAway, 3},
}

// longest is how long a handler goes on that does not end by itself.
const longest = 2 * time.Second

// answer is the answer to one request.
type answer struct {
	w   http.ResponseWriter
	req *http.Request
	r   *rand.Rand
	api *api
}

func (a *answer) give(kind answerFault) {
	if kind != wellBehaved {
		a.api.ledger.fault(string(kind))
	}
	switch kind {
	case cutUnread, cutUnacted:
		a.cut("")
	case unavailable:
		a.status(http.StatusServiceUnavailable)
	case tooMany:
		a.w.Header().Set("Retry-After", strconv.Itoa(a.r.IntN(10)/9)) // 0, or seldom 1
		a.status(http.StatusTooManyRequests)
	case rejects, rejectsEndless, rejectsTrickle, rejectsCut:
		a.rejectAs(kind)
	case redirectsWithin:
		a.redirect(http.StatusTemporaryRedirect, a.req.URL.Path)
	case redirectsAway:
		a.redirect([]int{http.StatusFound, http.StatusTemporaryRedirect}[a.r.IntN(2)], a.away())
	default:
		if a.req.Method == http.MethodPost {
			a.api.ledger.act(a.req.Header.Get(headerCall))
		}
		a.acted(kind)
	}
}

// acted answers a request that the API acted on.
func (a *answer) acted(kind answerFault) {
	switch kind {
	case cutBeforeHeader:
		a.cut("")
	case cutInHeader:
		a.cut("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Le")
	case cutInBody:
		a.cut("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"operation\": \"")
	case slowHeader:
		pause(a.req.Context(), milliseconds(a.r, 30))
		a.operation()
	case slowBody:
		a.slowOperation()
	case hangs:
		pause(a.req.Context(), longest)
	case failsWith5xx:
		a.status([]int{http.StatusInternalServerError, http.StatusBadGateway}[a.r.IntN(2)])
	case closesIdle:
		a.operationAndClose()
	case seeOther:
		a.redirect(http.StatusSeeOther, "/v1/operations/"+a.req.Header.Get(headerCall))
	case seeOtherAway:
		a.redirect(http.StatusSeeOther, a.away())
	default:
		a.operation()
	}
}

// result is the answer that says that all went well.
func (a *answer) result() string {
	text, _ := json.Marshal(map[string]string{"operation": a.req.Header.Get(headerCall)})
	return string(text)
}

func (a *answer) operation() { _, _ = io.WriteString(a.w, a.result()) }

func (a *answer) slowOperation() {
	for _, part := range strings.SplitAfter(a.result(), `"`) {
		_, _ = io.WriteString(a.w, part)
		_ = http.NewResponseController(a.w).Flush()
		pause(a.req.Context(), milliseconds(a.r, 10))
	}
}

// operationAndClose answers well and closes the connection behind it, without
// the announcement that HTTP/1.1 has for that. HTTP/2 announces it by itself.
func (a *answer) operationAndClose() {
	if a.req.ProtoMajor == 1 {
		a.cut(fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(a.result()), a.result()))
		return
	}
	a.w.Header().Set("Connection", "close")
	a.operation()
}

func (a *answer) status(code int) {
	a.w.WriteHeader(code)
	_, _ = io.WriteString(a.w, `{"detail":"a fault on purpose"}`)
}

func (a *answer) redirect(code int, location string) {
	a.w.Header().Set("Location", location)
	a.w.WriteHeader(code)
}

// away is a place to which no credential may go: another host, or a path of
// this one that is not the API's.
func (a *answer) away() string {
	return []string{a.api.elsewhere + "/away", "/outside"}[a.r.IntN(2)]
}

// reject answers 401 and says what it was sent, as careless servers do.
func (a *answer) reject(format string, args ...any) {
	a.w.WriteHeader(http.StatusUnauthorized)
	_ = json.NewEncoder(a.w).Encode(map[string]string{"detail": fmt.Sprintf(format, args...)})
}

// rejectAs rejects a good credential. A token is not good any more after it.
func (a *answer) rejectAs(kind answerFault) {
	authorization := a.req.Header.Get("Authorization")
	a.api.revoked.Store(strings.TrimPrefix(authorization, "Bearer "), true)
	a.w.Header().Set("X-Echo", authorization+a.req.Header.Get("X-Api-Key"))
	switch kind {
	case rejectsCut:
		a.cut("HTTP/1.1 401 Unauthorized\r\nContent-Length: 100\r\n\r\n{\"det")
	case rejectsEndless:
		a.goOn(32<<10, 0)
	case rejectsTrickle:
		a.goOn(16, 20*time.Millisecond)
	default:
		a.reject("no longer good: %v", a.req.Header)
	}
}

// goOn sends a body that does not end, until the client has had enough.
func (a *answer) goOn(chunk int, between time.Duration) {
	a.w.WriteHeader(http.StatusUnauthorized)
	text := strings.Repeat("x", chunk)
	for end := time.Now().Add(longest); time.Now().Before(end) && a.req.Context().Err() == nil; {
		if _, err := io.WriteString(a.w, text); err != nil {
			return
		}
		_ = http.NewResponseController(a.w).Flush()
		pause(a.req.Context(), between)
	}
}

// cut closes the connection after raw was sent over it. Over HTTP/2, where
// there are no raw bytes, it ends the stream or the whole connection, with the
// answers to others that go over it.
func (a *answer) cut(raw string) {
	if a.req.ProtoMajor == 1 {
		conn, _, err := http.NewResponseController(a.w).Hijack()
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(conn, raw)
		a.close(conn)
		return
	}
	if _, body, found := strings.Cut(raw, "\r\n\r\n"); found {
		if strings.HasPrefix(raw, "HTTP/1.1 401") {
			a.w.WriteHeader(http.StatusUnauthorized)
		}
		_, _ = io.WriteString(a.w, body)
		_ = http.NewResponseController(a.w).Flush()
	}
	if a.r.IntN(4) == 0 {
		a.close(connOf(a.req))
	}
	panic(http.ErrAbortHandler)
}

// close ends a connection in order, or as a machine does that lost its power.
func (a *answer) close(conn net.Conn) {
	if tcp := tcpOf(conn); tcp != nil && a.r.IntN(2) == 0 {
		_ = tcp.SetLinger(0)
		_ = tcp.Close()
	}
	_ = conn.Close()
}
