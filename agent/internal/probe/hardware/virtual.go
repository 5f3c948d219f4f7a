package hardware

import "strings"

// hints are the traces that a hypervisor or container leaves.
type hints struct {
	Container    string // content of /run/systemd/container
	DockerEnv    bool   // /.dockerenv is there
	PodmanEnv    bool   // /run/.containerenv is there
	Release      string // of the kernel
	Xen          string // /sys/hypervisor/type
	Vendor       string // SMBIOS 1 and 0, in this order of trust
	Model        string
	BIOSVendor   string
	HypervisorOn bool // flag of the processor
}

// virtual names the container or hypervisor, in systemd's words where it has some;
// "vm" is one that does not say its name, "" bare metal.
func virtual(h hints) string {
	switch {
	case h.Container != "":
		return h.Container
	case h.PodmanEnv:
		return "podman"
	case h.DockerEnv:
		return "docker"
	case strings.Contains(strings.ToLower(h.Release), "microsoft"):
		return "wsl"
	}
	if name := virtualByFirmware(h); name != "" {
		return name
	}
	switch {
	case h.Xen != "":
		return h.Xen
	case h.HypervisorOn:
		return "vm"
	}
	return ""
}

func virtualByFirmware(h hints) string {
	if strings.HasPrefix(h.Vendor, "Microsoft") && strings.Contains(h.Model, "Virtual Machine") {
		return "hyperv"
	}
	if strings.HasPrefix(h.Vendor, "Amazon EC2") && !h.HypervisorOn {
		return "" // an instance on bare metal says so only by the flag it lacks
	}
	for _, text := range [...]string{h.Model, h.Vendor, h.BIOSVendor} {
		for _, known := range [...][2]string{
			{"KVM", "kvm"}, {"OpenStack", "kvm"}, {"RHEV", "kvm"}, {"oVirt", "kvm"}, {"Amazon EC2", "amazon"},
			{"Google Compute Engine", "google"}, {"QEMU", "qemu"}, {"VMware", "vmware"}, {"VMW", "vmware"},
			{"VirtualBox", "oracle"}, {"innotek GmbH", "oracle"}, {"Parallels", "parallels"}, {"HVM domU", "xen"},
			{"Xen", "xen"}, {"Bochs", "bochs"}, {"BHYVE", "bhyve"}, {"Apple Virtualization", "apple"},
		} {
			if strings.HasPrefix(text, known[0]) {
				return known[1]
			}
		}
	}
	return ""
}
