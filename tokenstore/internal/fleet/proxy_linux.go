package fleet

import (
	"io"
	"net"
	"sync"
)

// proxy stands between the processes and Redis. It forwards what it is sent,
// unless it is told to stall or cut.
type proxy struct {
	listener net.Listener
	target   string

	mu       sync.Mutex
	stalled  chan struct{} // nil, or closed when the stall is over
	conns    map[net.Conn]bool
	finished bool
}

func startProxy(target string) (*proxy, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, target: target, conns: map[net.Conn]bool{}}
	go p.accept()
	return p, nil
}

func (p *proxy) addr() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		conn, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.forward(conn)
	}
}

func (p *proxy) forward(client net.Conn) {
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.Close()
		return
	}
	if !p.keep(client, server) {
		return
	}
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		both.Go(func() {
			_, _ = io.Copy(way[1], stallable{p, way[0]})
			_, _ = client.Close(), server.Close()
		})
	}
	both.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.conns, client)
}

// keep notes a connection, or closes it where the proxy has ended.
func (p *proxy) keep(client, server net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.finished {
		_, _ = client.Close(), server.Close()
		return false
	}
	p.conns[client] = true
	return true
}

// stallable is a connection whose bytes are held back during a stall.
type stallable struct {
	proxy *proxy
	net.Conn
}

func (s stallable) Read(b []byte) (int, error) {
	n, err := s.Conn.Read(b)
	s.proxy.mu.Lock()
	stalled := s.proxy.stalled
	s.proxy.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
	return n, err
}

// stall holds everything back until the function that it returns is called.
func (p *proxy) stall() (goOn func()) {
	stalled := make(chan struct{})
	p.mu.Lock()
	p.stalled = stalled
	p.mu.Unlock()
	return func() {
		p.mu.Lock()
		p.stalled = nil
		p.mu.Unlock()
		close(stalled)
	}
}

// cut closes the first n connections that it finds, and returns how many there
// were.
func (p *proxy) cut(n int) (cut int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.conns {
		if cut == n {
			break
		}
		_ = conn.Close()
		delete(p.conns, conn)
		cut++
	}
	return cut
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.finished = true
	all := len(p.conns)
	p.mu.Unlock()
	p.cut(all)
}
