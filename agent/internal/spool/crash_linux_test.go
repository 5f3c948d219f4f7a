package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const childEnv = "VIGIA_SPOOL_TEST_CHILD"

// TestMain lets the test binary play the agent that gets killed.
func TestMain(m *testing.M) {
	switch mode, dir, _ := strings.Cut(os.Getenv(childEnv), ":"); mode {
	case "":
		os.Exit(m.Run())
	case "append":
		childAppend(dir)
	case "fsize":
		childFileSize(dir)
	}
}

// childAppend appends and acknowledges for ever, telling before and after.
func childAppend(dir string) {
	s, err := Open(dir, Options{Now: func() time.Time { return testTime }})
	if err != nil {
		fmt.Println("error", err)
		os.Exit(1)
	}
	next := 1
	if err := s.Each(func(r Record) error { next = max(next, numberOf(r.ID)+1); return nil }); err != nil {
		fmt.Println("error", err)
	}
	if from, err := strconv.Atoi(os.Getenv("FROM")); err == nil {
		next = max(next, from)
	}
	for ; ; next++ {
		fmt.Println("begin", next)
		if err := s.Append(idOf(next), payloadOf(next), testTime); err != nil {
			fmt.Println("error", err)
		}
		fmt.Println("done", next)
		if next%3 == 0 {
			r, err := s.Peek()
			if err != nil {
				fmt.Println("error", err)
			}
			fmt.Println("ack", numberOf(r.ID))
			if err := s.Ack(r.ID); err != nil {
				fmt.Println("error", err)
			}
		}
	}
}

func TestKill9LosesNothing(t *testing.T) {
	dir := t.TempDir()
	done, acked := map[int]bool{}, map[int]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	highest := 0
	for round := range 60 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childEnv+"=append:"+dir, fmt.Sprint("FROM=", highest+1))
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, kill := bufio.NewScanner(out), 3+random.IntN(60)
		for i := 0; lines.Scan(); i++ {
			word, rest, _ := strings.Cut(lines.Text(), " ")
			n, err := strconv.Atoi(rest)
			if err != nil || word == "error" {
				t.Errorf("round %d: %s", round, lines.Text())
			}
			switch word {
			case "done":
				done[n] = true
				highest = max(highest, n)
			case "ack":
				acked[n] = true
			case "begin":
				highest = max(highest, n)
			}
			if i == kill {
				time.Sleep(time.Duration(random.IntN(1500)) * time.Microsecond)
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := cmd.Wait(); err == nil {
			t.Fatalf("round %d: the child was not killed", round)
		}
		s := open(t, dir, Options{})
		got := waiting(t, s)
		if !ordered(got) {
			t.Fatalf("round %d: out of order: %v", round, got)
		}
		there := map[int]bool{}
		for _, n := range got {
			there[n] = true
		}
		for n := range done {
			if !acked[n] && !there[n] {
				t.Fatalf("round %d: record %d is lost", round, n)
			}
		}
		if d := s.TakeDropped(); len(d) != 0 {
			t.Fatalf("round %d: account %+v", round, d)
		}
		close2(t, s)
	}
	if len(done) < 500 {
		t.Fatalf("only %d records were written in all: the test did not test", len(done))
	}
}

// childFileSize runs into the largest size of a file that the system allows.
func childFileSize(dir string) {
	signal.Ignore(syscall.SIGXFSZ)
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 5000, Max: 5000}); err != nil {
		fmt.Println("setrlimit:", err)
		os.Exit(1)
	}
	s, err := Open(dir, Options{Now: func() time.Time { return testTime }})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	n := 1
	for ; err == nil && n < 1000; n++ {
		err = s.Append(idOf(n), payloadOf(n), testTime)
	}
	if !errors.Is(err, ErrDiskFull) {
		fmt.Println("got", err)
		os.Exit(1)
	}
	if err := s.Close(); err != nil {
		fmt.Println("closing:", err)
		os.Exit(1)
	}
	fmt.Println(n - 2)
}

func TestFileSizeLimit(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"=fsize:"+dir)
	out, err := cmd.Output()
	written, nerr := strconv.Atoi(strings.TrimSpace(string(out)))
	if err != nil || nerr != nil {
		t.Fatalf("%s: %v", out, err)
	}
	s := open(t, dir, Options{})
	if got := waiting(t, s); len(got) != written || written < 10 || !ordered(got) {
		t.Fatalf("%d written, waiting %v", written, got)
	}
	if d := s.TakeDropped(); len(d) != 1 || d[0].Reason != "disk-full" || d[0].Reports != 1 {
		t.Fatalf("account %+v", d)
	}
}

func TestFullDisk(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Log("not root: a full file system cannot be mounted, TestFileSizeLimit alone covers this")
		return
	}
	mount := t.TempDir()
	if err := syscall.Mount("tmpfs", mount, "tmpfs", 0, "size=256k"); err != nil {
		t.Fatalf("mounting a small tmpfs as root: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(mount, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	dir := filepath.Join(mount, "spool")
	s := open(t, dir, Options{})
	add(t, s, 1, 2, 3)
	filler := filepath.Join(mount, "filler")
	fill(t, filler)
	n, err := 4, error(nil)
	for ; err == nil && n < 2000; n++ { // what is left of the last page
		err = s.Append(idOf(n), payloadOf(n), testTime)
	}
	if !errors.Is(err, ErrDiskFull) {
		t.Fatalf("got %v", err)
	}
	refused := n - 1
	if got := waiting(t, s); len(got) != refused-1 {
		t.Fatalf("waiting %v, want 1 to %d", got, refused-1)
	}
	close2ignoringFull(t, s)
	s = open(t, dir, Options{}) // opens on a full disk too
	if err := s.Ack(idOf(1)); err != nil && !isDiskFull(err) {
		t.Fatal(err)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	add(t, s, refused)
	close2(t, s)
	s = open(t, dir, Options{})
	if got := waiting(t, s); !ordered(got) || got[len(got)-1] != refused || without(seq(2, refused), got) != 0 {
		t.Fatalf("waiting %v, want 2 to %d", got, refused)
	}
}

func close2ignoringFull(t *testing.T, s *Spool) {
	if err := s.Close(); err != nil && !isDiskFull(err) {
		t.Fatal(err)
	}
}

func seq(from, to int) (l []int) {
	for ; from <= to; from++ {
		l = append(l, from)
	}
	return l
}

func fill(t *testing.T, path string) {
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = io.WriteString(f, strings.Repeat("x", 4096))
	}
	if !isDiskFull(err) {
		t.Fatal(err)
	}
}
