//go:build linux

package packagetest

import (
	"path/filepath"
	"strings"
	"testing"
)

// Both debs in a machine of their own, from installing to purging.
func TestDebLivesUnderSystemd(t *testing.T) {
	first, second := packages(t, older, "deb"), packages(t, newer, "deb")
	m := boot(t)
	for version, dir := range map[string]string{older: first, newer: second} {
		m.put(filepath.Join(dir, "vigia-agent_"+version+"_amd64.deb"), filepath.Join(dir, "vigia-collector_"+version+"_amd64.deb"))
	}
	m.sh("mkdir -p /etc/systemd/system/vigia-agent.service.d && printf '[Service]\nRestartSec=1\nWatchdogSec=6\nTimeoutAbortSec=1\n' >/etc/systemd/system/vigia-agent.service.d/test.conf")
	installDebs(m)
	machine := enrollByFile(m)
	killed(m)
	hung(m)
	upgradeDebs(m, machine)
	purge(m)
}

func installDebs(m *machine) {
	m.t.Helper()
	m.sh("echo VIGIA_COLLECTOR_ADDRESS=127.0.0.1:7443 >/etc/default/vigia-collector") // nothing resolves names here
	out := m.sh("dpkg -i /root/vigia-collector_" + older + "_amd64.deb /root/vigia-agent_" + older + "_amd64.deb")
	for _, want := range []string{"vigia-agent enroll --token", "signin-link"} {
		if !strings.Contains(out, want) {
			m.t.Errorf("installing says nothing of %q: %s", want, out)
		}
	}
	// Type=notify: both have said that they are ready.
	m.sh("systemctl is-active vigia-agent vigia-collector && systemctl is-enabled vigia-agent vigia-collector")
	m.sh("vigia-collector ready --web 127.0.0.1:7080")
	if got := m.sh("ps -o user:20= -p $(systemctl show -P MainPID vigia-collector); stat -c '%U %a' /var/lib/vigia-collector; stat -c '%U %a' /var/lib/vigia-agent"); got != "vigia-collector\nvigia-collector 700\nroot 700" {
		m.t.Errorf("owners: %s", got)
	}
	if _, err := m.try("vigia-agent status"); err == nil || !strings.Contains(err.Error(), "exit status 5") {
		m.t.Errorf("not enrolled yet: %v", err)
	}
}

// enrollByFile leaves a token as an image would, and returns the identity.
func enrollByFile(m *machine) string {
	m.t.Helper()
	m.sh("umask 077; runuser -u vigia-collector -- vigia-collector token create --uses 1 --expires 1h >/etc/vigia/token.new && mv /etc/vigia/token.new /etc/vigia/token")
	m.until("enrolling with the token that was left", "vigia-agent status --reported-since @0")
	m.sh("test ! -e /etc/vigia/token")
	if leftover, err := m.try("journalctl -u vigia-agent -o cat | grep -F VIGIA-"); err == nil {
		m.t.Errorf("the token is in the log: %s", leftover)
	}
	id := m.sh("sed -n 's/.*\"machine_id\": *\"\\([^\"]*\\)\".*/\\1/p' /var/lib/vigia-agent/identity.json | head -1")
	if list := m.sh("runuser -u vigia-collector -- vigia-collector machine list --output json"); id == "" || !strings.Contains(list, id) || !strings.Contains(list, older) {
		m.t.Errorf("machine %q with version %s is not in %s", id, older, list)
	}
	return id
}

func killed(m *machine) {
	m.t.Helper()
	for _, unit := range []string{"vigia-collector", "vigia-agent"} {
		m.sh("pid=$(systemctl show -P MainPID " + unit + "); echo $pid >/run/pid; kill -9 $pid")
		m.until(unit+" is started again", "systemctl is-active "+unit+" && test $(systemctl show -P MainPID "+unit+") != $(cat /run/pid)")
	}
	m.until("reporting again", "vigia-agent status --output json | grep -q '\"connected\": true'")
}

// hung stops the agent without ending it: the watchdog notices.
func hung(m *machine) {
	m.t.Helper()
	m.sh("pid=$(systemctl show -P MainPID vigia-agent); echo $pid >/run/pid; kill -STOP $pid")
	m.until("an agent that hangs is started again", "pid=$(systemctl show -P MainPID vigia-agent); test $pid != 0 && test $pid != $(cat /run/pid)")
	m.until("reporting again", "systemctl is-active vigia-agent && vigia-agent status --output json | grep -q '\"connected\": true'")
}

func upgradeDebs(m *machine, machine string) {
	m.t.Helper()
	m.sh("sed -i 's/^interval: .*/interval: 3h/' /etc/vigia/agent.yaml && date +%s >/run/before")
	m.sh("dpkg -i /root/vigia-collector_" + newer + "_amd64.deb /root/vigia-agent_" + newer + "_amd64.deb")
	m.until("the new version reports", "vigia-agent status --reported-since @$(cat /run/before) && vigia-agent status --output json | grep -q '\"version\": \""+newer+"\"'")
	m.sh("grep -qx 'interval: 3h' /etc/vigia/agent.yaml && grep -q " + machine + " /var/lib/vigia-agent/identity.json")
	m.sh("runuser -u vigia-collector -- vigia-collector check")
	if out, err := m.try("dpkg --verify vigia-agent vigia-collector"); err != nil || strings.TrimSpace(out) != "??5?????? c /etc/vigia/agent.yaml" {
		m.t.Errorf("of the files of the packages only the settings were changed: %s, %v", out, err)
	}
	m.sh("systemctl disable --now vigia-agent && dpkg -i /root/vigia-agent_" + newer + "_amd64.deb")
	if out, _ := m.try("systemctl is-enabled vigia-agent; systemctl is-active vigia-agent"); strings.TrimSpace(out) != "disabled\ninactive" {
		m.t.Errorf("what the administrator disabled is not enabled again: %s", out)
	}
	m.sh("systemctl enable --now vigia-agent")
}

func purge(m *machine) {
	m.t.Helper()
	m.sh("dpkg --remove vigia-agent vigia-collector")
	m.sh("test -s /var/lib/vigia-agent/identity.json && test -s /etc/vigia/agent.yaml && ls /var/lib/vigia-collector/*.db")
	if out, err := m.try("pgrep -l vigia"); err == nil {
		m.t.Errorf("still running: %s", out)
	}
	m.sh("rm -rf /etc/systemd/system/vigia-agent.service.d && dpkg --purge vigia-agent vigia-collector")
	if left := m.sh("find / -xdev -name '*vigia*' -not -path '/root/*' -not -path '/proc/*' -not -path '/var/log/*'; getent passwd vigia-collector || true"); left != "" {
		m.t.Errorf("purging leaves: %s", left)
	}
	m.sh("systemctl daemon-reload && ! systemctl cat vigia-agent 2>/dev/null")
}
