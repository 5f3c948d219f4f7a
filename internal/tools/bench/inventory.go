package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"
)

const peerName = "fusioninventory-inventory"

// inventoryPart takes the inventory of this machine with our agent and with the peer,
// in turns, and compares medians.
func inventoryPart(r *run) error {
	peer, err := exec.LookPath(peerName)
	if err != nil {
		return fmt.Errorf("%s is missing; install it with: apt-get install fusioninventory-agent", peerName)
	}
	var ours, theirs []usage
	for range r.pairs {
		a, err := once([]string{r.agent, "inventory", "--output", "json"})
		if err != nil {
			return err
		}
		b, err := once([]string{peer})
		if err != nil {
			return err
		}
		ours, theirs = append(ours, a), append(theirs, b)
	}
	programs, err := countJSON(ours[0].output)
	if err != nil {
		return err
	}
	found := bytes.Count(theirs[0].output, []byte("<SOFTWARES>"))
	if programs == 0 || found == 0 {
		return fmt.Errorf("%d programs by the agent, %d by the peer: one of them found nothing", programs, found)
	}
	note := fmt.Sprintf("median of %d pairs, alternating; ours %s", r.pairs, spread(ours))
	r.rows = append(r.rows,
		row{what: "processor time", value: medianCPU(ours).Seconds(), peer: medianCPU(theirs).Seconds(), unit: "s", target: 0.1, ratioTarget: true, source: peerName, note: note},
		row{what: "peak memory", value: mib(medianRSS(ours)), peer: mib(medianRSS(theirs)), unit: "MiB", target: 1.0 / 3, ratioTarget: true, source: peerName},
		row{what: "programs found", value: float64(programs), peer: float64(found), unit: "", target: 1, atLeast: true, ratioTarget: true, source: peerName})
	return nil
}

func countJSON(document []byte) (int, error) {
	var d struct {
		Software []json.RawMessage `json:"software"`
	}
	if err := json.Unmarshal(document, &d); err != nil {
		return 0, fmt.Errorf("reading the agent's inventory: %w", err)
	}
	return len(d.Software), nil
}

func medianCPU(all []usage) time.Duration {
	var list []time.Duration
	for _, u := range all {
		list = append(list, u.cpu)
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func medianRSS(all []usage) int64 {
	var list []int64
	for _, u := range all {
		list = append(list, u.rss)
	}
	slices.Sort(list)
	return list[len(list)/2]
}

func spread(all []usage) string {
	var list []string
	for _, u := range all {
		list = append(list, fmt.Sprintf("%.3f", u.cpu.Seconds()))
	}
	return strings.Join(list, " ") + " s"
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
