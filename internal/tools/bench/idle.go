package main

import (
	"fmt"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// idlePart runs a real agent against a real collector and looks at it while nothing
// happens.
func idlePart(r *run) error {
	info, err := os.Stat(r.agent)
	if err != nil {
		return err
	}
	c, err := r.serve(r.sqlite())
	if err != nil {
		return err
	}
	defer c.stop()
	agent, err := r.enrollAgent(c)
	if err != nil {
		return err
	}
	defer agent.stop(syscall.SIGTERM)
	cpu, highest, err := r.watch(agent)
	if err != nil {
		return err
	}
	payload, err := c.cycle(agent)
	if err != nil {
		return err
	}
	r.rows = append(r.rows,
		row{what: "resident memory, idle", value: mib(highest), unit: "MiB", target: 20, peer: 70, source: "peers 66 to 76 MiB", note: fmt.Sprintf("highest of a look a second over %s", r.idle)},
		row{what: "processor, idle", value: 100 * cpu.Seconds() / r.idle.Seconds(), unit: "% of one", target: 0.05, note: fmt.Sprintf("%s over %s (the kernel counts in 10 ms)", cpu, r.idle)},
		row{what: "an unchanged cycle", value: payload, unit: "bytes", target: 400, note: "both ways on the socket with TLS and HTTP/2, the request for it included; 5 cycles"},
		row{what: "size of the program", value: mib(info.Size()), unit: "MiB", target: 16})
	return nil
}

// enrollAgent starts this machine's agent and waits until its report is acknowledged
// and it has come to rest.
func (r *run) enrollAgent(c *collector) (*started, error) {
	state := r.path("agent")
	token, err := c.command("token", "create")
	if err != nil {
		return nil, err
	}
	if _, err := r.output(r.agent, "enroll", "--token", token, "--state", state); err != nil {
		return nil, err
	}
	began := time.Now().Unix()
	agent, err := r.start(nil, syscall.SIGKILL, r.agent, "run", "--state", state)
	if err != nil {
		return nil, err
	}
	err = r.waitFor(agent, 2*time.Minute, "waiting for the agent's report", func() bool {
		_, err := r.output(r.agent, "status", "--state", state, "--reported-since", fmt.Sprintf("@%d", began))
		return err == nil
	})
	if err == nil {
		err = r.pause(15 * time.Second) // what follows the first report is not idling
	}
	return agent, err
}

// watch looks at a process every second.
func (r *run) watch(s *started) (cpu time.Duration, highest int64, err error) {
	before, _, err := now(s.cmd.Process.Pid)
	if err != nil {
		return 0, 0, err
	}
	for end := time.Now().Add(r.idle); time.Now().Before(end); {
		if err := r.pause(min(time.Second, time.Until(end))); err != nil {
			return 0, 0, err
		}
		_, rss, err := now(s.cmd.Process.Pid)
		if err != nil {
			return 0, 0, fmt.Errorf("the agent ended: %s", s.tail())
		}
		highest = max(highest, rss)
	}
	after, _, err := now(s.cmd.Process.Pid)
	return after - before, highest, err
}

// cycle asks for whole inventories that find nothing new, and returns the bytes that
// one moves over the agent's connection.
func (c *collector) cycle(agent *started) (float64, error) {
	const cycles = 5
	list, err := c.command("machine", "list", "--output", "json")
	if err != nil {
		return 0, err
	}
	id := regexp.MustCompile(`"id": *"([^"]+)"`).FindStringSubmatch(list)
	if id == nil {
		return 0, fmt.Errorf("the collector lists no machine: %s", list)
	}
	before, err := c.moved(agent)
	if err != nil {
		return 0, err
	}
	for range cycles {
		if _, err := c.command("machine", "report", id[1]); err != nil {
			return 0, err
		}
		if err := c.pause(4 * time.Second); err != nil { // the collector looks for commands every second, the inventory takes a tenth
			return 0, err
		}
	}
	after, err := c.moved(agent)
	if err == nil && after == before {
		err = fmt.Errorf("nothing moved: the agent did not answer")
	}
	return float64(after-before) / cycles, err
}

// moved is how many bytes went over the agent's connection, both ways.
func (r *run) moved(agent *started) (int64, error) {
	out, err := r.output("ss", "-tinpH", "state", "established")
	if err != nil {
		return 0, fmt.Errorf("%w; install it with: apt-get install iproute2", err)
	}
	var sum int64
	found := false
	mine := fmt.Sprintf("pid=%d,", agent.cmd.Process.Pid)
	lines := strings.Split(string(out), "\n")
	for i, line := range lines {
		if !strings.Contains(line, mine) || i+1 >= len(lines) {
			continue
		}
		found = true
		for _, f := range strings.Fields(lines[i+1]) {
			if k, v, ok := strings.Cut(f, ":"); ok && (k == "bytes_sent" || k == "bytes_received") {
				n, err := strconv.ParseInt(v, 10, 64)
				if err != nil {
					return 0, err
				}
				sum += n
			}
		}
	}
	if !found {
		return 0, fmt.Errorf("ss tells of no connection of the agent: %w", net.ErrClosed)
	}
	return sum, nil
}
