package fleet

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
)

// secrets are the texts that nobody must see.
var secrets = [][]byte{[]byte(tokenMark), []byte(userMark)}

func countSecrets(text []byte) (n int) {
	for _, secret := range secrets {
		n += bytes.Count(text, secret)
	}
	return n
}

// monitor reads everything that Redis is told until the connection ends, as it
// does with Redis.
func monitor(addr string, l *ledger, watching *sync.WaitGroup) (stop func(), err error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if _, err := conn.Write([]byte("MONITOR\r\n")); err != nil {
		_ = conn.Close()
		return nil, err
	}
	watching.Go(func() {
		lines := bufio.NewReader(conn)
		for {
			line, err := lines.ReadBytes('\n')
			l.add(func(r *Report) {
				r.Commands++
				r.SecretsSeen += countSecrets(line)
			})
			if err != nil {
				return
			}
		}
	})
	return func() { _ = conn.Close() }, nil
}

// secretsInMemory counts the secrets in all that a process can write to.
func secretsInMemory(pid int) (n int, err error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		return 0, err
	}
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, err
	}
	defer func() { _ = memory.Close() }()
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var access string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &access); err != nil || !strings.HasPrefix(access, "rw") {
			continue
		}
		part := make([]byte, to-from)
		read, _ := memory.ReadAt(part, from) // some parts cannot be read
		n += countSecrets(part[:read])
	}
	return n, nil
}
