// Package scan owns the question whether a file holds a virus that ClamAV knows. It asks
// the daemon clamd where one listens, else it runs clamscan, else it says that nothing
// was scanned. It refuses to decide what is done with the answer, and to fetch
// signatures.
package scan

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Verdict is what became of a scan.
type Verdict string

// The verdicts.
const (
	Clean      Verdict = "clean"
	Infected   Verdict = "infected"
	NotScanned Verdict = "not-scanned" // there is no ClamAV on this server
)

// Scanner knows where ClamAV may be. The zero value finds none.
type Scanner struct {
	Sockets  []string      // of clamd, tried in order: paths
	Program  string        // clamscan, with a full path; empty or absent: not used
	Database string        // folder or file of its signatures; empty: its own
	Timeout  time.Duration // of one scan; 0: a minute
}

// System is where Debian, Fedora and ClamAV's own packages put it.
func System() Scanner {
	return Scanner{Sockets: []string{"/run/clamav/clamd.ctl", "/run/clamd.scan/clamd.sock", "/var/run/clamav/clamd.ctl", "/tmp/clamd.socket"}, Program: "/usr/bin/clamscan"}
}

// Scan tells what ClamAV says of content; virus is the name of what it found. An error
// tells that ClamAV is there and gave no answer.
func (s Scanner) Scan(ctx context.Context, content []byte) (v Verdict, virus string, err error) {
	limit := s.Timeout
	if limit <= 0 {
		limit = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var failed error
	for _, path := range s.Sockets {
		if _, err := os.Stat(path); err != nil {
			continue
		}
		if v, virus, err = stream(ctx, path, content); err == nil {
			return v, virus, nil
		}
		failed = err
	}
	if _, err := os.Stat(s.Program); s.Program != "" && err == nil {
		return s.run(ctx, content)
	}
	if failed != nil {
		return NotScanned, "", failed
	}
	return NotScanned, "", nil
}

// chunk is how much goes to clamd at a time.
const chunk = 64 << 10

// stream asks clamd by INSTREAM: lengths in network order, a zero at the end.
func stream(ctx context.Context, path string, content []byte) (Verdict, string, error) {
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", path)
	if err != nil {
		return NotScanned, "", fmt.Errorf("asking clamd: %w", err)
	}
	defer c.Close()
	if until, ok := ctx.Deadline(); ok {
		if err := c.SetDeadline(until); err != nil {
			return NotScanned, "", err
		}
	}
	w := bufio.NewWriter(c)
	w.WriteString("zINSTREAM\x00")
	for rest := content; len(rest) > 0; {
		n := min(chunk, len(rest))
		w.Write(binary.BigEndian.AppendUint32(nil, uint32(n)))
		w.Write(rest[:n])
		rest = rest[n:]
	}
	w.Write([]byte{0, 0, 0, 0})
	if err := w.Flush(); err != nil {
		return NotScanned, "", fmt.Errorf("sending to clamd: %w", err)
	}
	answer, err := io.ReadAll(io.LimitReader(c, 4096))
	if err != nil {
		return NotScanned, "", fmt.Errorf("reading clamd's answer: %w", err)
	}
	return parse(string(bytes.Trim(answer, "\x00\n")), "stream: ")
}

// parse reads "stream: OK" and "stream: NAME FOUND".
func parse(line, prefix string) (Verdict, string, error) {
	rest, ok := strings.CutPrefix(line, prefix)
	switch virus, found := strings.CutSuffix(rest, " FOUND"); {
	case ok && found:
		return Infected, virus, nil
	case ok && rest == "OK":
		return Clean, "", nil
	}
	return NotScanned, "", fmt.Errorf("clamav answers %.200q", line)
}

// run asks clamscan: exit code 0 is clean, 1 a virus.
func (s Scanner) run(ctx context.Context, content []byte) (Verdict, string, error) {
	args := []string{"--no-summary", "--infected", "--stdout"}
	if s.Database != "" {
		args = append(args, "--database="+s.Database)
	}
	cmd := exec.CommandContext(ctx, s.Program, append(args, "-")...)
	cmd.Stdin, cmd.Env = bytes.NewReader(content), []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	var out, problem bytes.Buffer
	cmd.Stdout, cmd.Stderr = &limited{&out}, &limited{&problem}
	err := cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return Clean, "", nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return parse(strings.TrimSpace(out.String()), "stdin: ")
	}
	return NotScanned, "", fmt.Errorf("running clamscan: %w: %.200s", err, problem.String())
}

// limited keeps the first 4 KiB.
type limited struct{ b *bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := 4096 - l.b.Len(); room > 0 {
		l.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}
