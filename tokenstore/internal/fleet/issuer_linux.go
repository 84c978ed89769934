package fleet

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Texts that are in every token and in every user's name, to be looked for.
const (
	tokenMark = "fleet-secret-"
	userMark  = "fleet-user-"
)

// Fields of the requests that processes send.
const (
	headerUser    = "X-User"
	headerProcess = "X-Process"
	headerRequest = "X-Request"
)

// issued is a token and what the issuer knows of it.
type issued struct {
	user    string
	process string
	asked   time.Time // when the request came
	end     time.Time
	revoked time.Time // zero for never
	private bool      // no other process can have it, as far as is known
}

// web is the issuer and the API, which share what they know of tokens.
type web struct {
	server *httptest.Server
	life   time.Duration
	ledger *ledger

	mu      sync.Mutex
	tokens  map[string]*issued
	byUser  map[string][]*issued
	answers map[string]string // of the API to a request, what it last said
	bucket  float64           // tokens that may be issued now
	filled  time.Time
	rate    float64 // a second; 0 for no limit
}

func startWeb(life time.Duration, rate float64, l *ledger) *web {
	w := &web{
		life: life, ledger: l, rate: rate, bucket: rate, filled: time.Now(),
		tokens: map[string]*issued{}, byUser: map[string][]*issued{}, answers: map[string]string{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", w.issue)
	mux.HandleFunc("GET /api", w.serve)
	w.server = httptest.NewServer(mux)
	return w
}

// answer is the issuer's.
type answer struct {
	AccessToken string  `json:"access_token"`
	ExpiresIn   float64 `json:"expires_in"`
}

func (w *web) issue(rw http.ResponseWriter, req *http.Request) {
	arrived := time.Now()
	user, process := req.Header.Get(headerUser), req.Header.Get(headerProcess)
	w.mu.Lock()
	if !w.admit(arrived) {
		w.mu.Unlock()
		w.ledger.add(func(r *Report) { r.Refused++ })
		rw.Header().Set("Retry-After", "1")
		http.Error(rw, "too many requests", http.StatusTooManyRequests)
		return
	}
	t := &issued{user: user, process: process, asked: arrived, end: arrived.Add(w.life)}
	w.ledger.judge(t, w.byUser[user])
	value := tokenMark + rand.Text()
	w.tokens[value] = t
	w.byUser[user] = append(w.byUser[user], t)
	w.mu.Unlock()
	time.Sleep(time.Duration(20+mathrand.IntN(100)) * time.Millisecond)
	rw.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(rw).Encode(answer{value, time.Until(t.end).Seconds()})
}

// admit applies the rate limit. The caller holds w.mu.
func (w *web) admit(now time.Time) bool {
	if w.rate == 0 {
		return true
	}
	w.bucket = min(w.rate, w.bucket+now.Sub(w.filled).Seconds()*w.rate)
	w.filled = now
	if w.bucket < 1 {
		return false
	}
	w.bucket--
	return true
}

func (w *web) serve(rw http.ResponseWriter, req *http.Request) {
	now := time.Now()
	value := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer ")
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ledger.add(func(r *Report) { r.APIRequests++ })
	t := w.tokens[value]
	said := "accepted"
	switch {
	case t == nil:
		said = "unknown"
	case t.user != req.Header.Get(headerUser):
		said = "another user's"
		w.ledger.add(func(r *Report) { r.ForeignToken++ })
	case !t.revoked.IsZero():
		said = "revoked " + strconv.FormatInt(now.Sub(t.revoked).Milliseconds(), 10)
	case now.After(t.end):
		said = "ended"
	}
	w.answers[req.Header.Get(headerRequest)] = said
	if said != "accepted" {
		w.ledger.add(func(r *Report) { r.Rejections++ })
		http.Error(rw, fmt.Sprintf("token is %s", said), http.StatusUnauthorized)
	}
}

// said returns what the API last said to a request.
func (w *web) said(request string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.answers[request]
}

// revoke revokes every token that a user has.
func (w *web) revoke(user string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.byUser[user] {
		if t.revoked.IsZero() {
			t.revoked = time.Now()
		}
	}
}

// lose says that no token that was issued so far is shared any more.
func (w *web) lose() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tokens {
		t.private = true
	}
}

// loseThoseOf says that a process was stopped, and may not have shared the tokens
// that it asked for last.
func (w *web) loseThoseOf(process string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tokens {
		if t.process == process && time.Since(t.asked) < shareTime {
			t.private = true
		}
	}
}

// fetches returns how many tokens were issued.
func (w *web) fetches() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.tokens)
}
