package fleet

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
)

// process is a process of the fleet, seen from outside.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdin  io.Closer
	stderr strings.Builder
	reads  sync.WaitGroup
	killed bool
}

// startProcess starts this very program as a process of the fleet, and calls hear
// with each event that it tells.
func startProcess(j job, hear func(event)) (*process, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	p := &process{name: j.Name, cmd: exec.Command(program)}
	p.cmd.Env = append(os.Environ(), workerVariable+"="+string(text))
	p.cmd.Stderr = &p.stderr
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	p.reads.Go(func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			var e event
			if json.Unmarshal(lines.Bytes(), &e) == nil { // a killed process may leave half a line
				hear(e)
			}
		}
	})
	return p, nil
}

func (p *process) kill() {
	p.killed = true
	_ = p.cmd.Process.Kill()
	p.reads.Wait()
	_ = p.cmd.Wait()
}

func (p *process) freeze() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }
func (p *process) thaw()   { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

// stop ends a process as a user does, and returns an error if it had ended before
// or ends badly.
func (p *process) stop() error {
	_ = p.stdin.Close()
	p.reads.Wait()
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("process %s: %w\n%s", p.name, err, p.stderr.String())
	}
	return nil
}
