package service

import "github.com/kardianos/service"

// unit is the systemd unit: idle priority, one core at most, no way to gain
// privileges. It reads the whole machine, so it runs as root with a read-only view of
// everything but its own state.
const unit = `[Unit]
Description={{Description}}
ConditionFileIsExecutable={{Path | cmdEscape}}
After=network-online.target
Wants=network-online.target

[Service]
ExecStart={{Path | cmdEscape}}{{range Arguments}} {{. | cmd}}{{end}}
Restart=always
RestartSec=30
Nice=15
IOSchedulingClass=idle
CPUQuota=100%
CPUWeight=20
MemoryHigh=128M
MemoryMax=256M
StateDirectory=vigia-agent
StateDirectoryMode=0700
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=-/var/lib/vigia-agent
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictRealtime=yes
EnvironmentFile=-/etc/default/{{Name}}

[Install]
WantedBy=multi-user.target
`

func options() service.KeyValue {
	return service.KeyValue{"SystemdScript": unit, "LogOutput": false}
}
