package redisserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// Program is the server's name.
const Program = "redis-server"

// ErrNotInstalled says that this machine has no Redis.
var ErrNotInstalled = errors.New("redis-server is not installed: apt-get install redis-server redis-sentinel")

// startTime is how long a server may take to answer, on a busy machine.
const startTime = 20 * time.Second

// Server is a redis-server. Its address stays the same when it is started again.
type Server struct {
	port int
	dir  string
	args []string

	configFile string // of a sentinel
	cmd        *exec.Cmd
}

// Start starts a server with its files in dir and with these arguments beside its
// own, and waits until it answers.
func Start(dir string, args ...string) (*Server, error) {
	var err error
	for range 5 { // somebody else may take the port meanwhile
		s := &Server{dir: dir, args: args}
		if s.port, err = freePort(); err != nil {
			return nil, err
		}
		if err = s.Start(); err == nil {
			return s, nil
		}
		if errors.Is(err, ErrNotInstalled) {
			break
		}
	}
	return nil, err
}

func freePort() (int, error) {
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := l.Addr().(*net.TCPAddr).Port
		if err := l.Close(); err != nil {
			return 0, err
		}
		if port < 55000 { // a cluster's bus has the port 10,000 above
			return port, nil
		}
	}
}

// Start starts the server again after it was killed. What it held is gone.
func (s *Server) Start() error {
	program, err := exec.LookPath(Program)
	if err != nil {
		return ErrNotInstalled
	}
	args := append(s.mode(), "--port", strconv.Itoa(s.port), "--bind", "127.0.0.1", "--dir", s.dir, "--logfile", s.logFile())
	s.cmd = exec.Command(program, args...)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return err
	}
	if err := s.waitUntilItAnswers(); err != nil {
		s.Kill()
		return err
	}
	return nil
}

func (s *Server) waitUntilItAnswers() error {
	client := redis.NewClient(&redis.Options{Addr: s.Addr(), DialerRetries: 1, MaxRetries: -1})
	defer func() { _ = client.Close() }()
	deadline := time.Now().Add(startTime)
	for !canBeDialed(s.Addr()) && time.Now().Before(deadline) {
		time.Sleep(5 * time.Millisecond)
	}
	for {
		// The port may have been somebody else's.
		info, err := client.Info(context.Background(), "server").Result()
		if err == nil && strings.Contains(info, fmt.Sprintf("process_id:%d\r", s.PID())) {
			return nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(s.logFile())
			return fmt.Errorf("redis-server does not answer: %w\n%s", err, log)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func canBeDialed(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err == nil {
		_ = conn.Close()
	}
	return err == nil
}

func (s *Server) mode() []string {
	if s.configFile != "" {
		return []string{s.configFile, "--sentinel"}
	}
	return append([]string{"--save", "", "--appendonly", "no"}, s.args...)
}

func (s *Server) logFile() string { return filepath.Join(s.dir, fmt.Sprintf("redis-%d.log", s.port)) }

// Addr is the server's host and port.
func (s *Server) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(s.port)) }

// Port is the server's port.
func (s *Server) Port() int { return s.port }

// PID is the server's process.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Kill kills the server and waits for its end.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Freeze stops the server, which neither answers nor closes a connection from
// then on.
func (s *Server) Freeze() error { return s.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw lets a frozen server run on.
func (s *Server) Thaw() error { return s.cmd.Process.Signal(syscall.SIGCONT) }
