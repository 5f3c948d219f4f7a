package hardware

import (
	"context"
	"strings"
	"time"

	"vigia/agent/internal/probe"
	"vigia/agent/internal/rootfs"
	"vigia/internal/inventory"
)

// Machine fills the section machine: the facts by which a machine is recognised. Under
// another root these are the image's name and id alone.
func Machine() probe.Probe {
	return probe.Probe{
		Source: SourceMachine, Section: inventory.SectionMachine, Timeout: 5 * time.Second,
		Watch: []string{"/etc/hostname", "/etc/machine-id"},
		Collect: func(_ context.Context, env *probe.Env, part *inventory.Snapshot) (int, error) {
			fsys, err := rootfs.Open(env.Root)
			if err != nil {
				return 0, err
			}
			defer fsys.Close()
			m := &part.Machine
			if err := names(fsys, m); err != nil {
				return 0, err
			}
			if env.Live() {
				info, _ := readFirmware(fsys) // the source "smbios" tells what is wrong with it
				m.Serial, m.UUID = info.System.Serial, info.System.UUID
			}
			return 1, nil
		},
	}
}

// splitHost cuts a full name into host and domain.
func splitHost(name string) (host, domain string) {
	host, domain, _ = strings.Cut(strings.ToLower(strings.Trim(strings.TrimSpace(name), ".")), ".")
	return host, domain
}

// domainFromHosts finds the domain that /etc/hosts gives to host: the first full name
// on a line that names host too, or host's own full name.
func domainFromHosts(text, host string) string {
	if host == "" {
		return ""
	}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		for i := 1; i < len(f); i++ {
			if h, domain := splitHost(f[i]); h == host && domain != "" && domain != "localdomain" {
				return domain
			}
		}
	}
	return ""
}

// machineID returns text when it is an id as machine-id(5) has it: 32 hex digits, not
// all zero.
func machineID(text string) string {
	id := strings.ToLower(strings.TrimSpace(text))
	if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}
