// Package system owns what the agent tells of the operating system and how it is set
// up (source "system"): which one, since when, in which zone and language, whether it
// waits for a reboot, and who can sign in. It reads files, on Windows
// the registry and WMI; it never looks at
// environments, command lines, people's names or their documents.
package system

import "vigia/internal/inventory"

// Source of this package.
const Source = string(inventory.SectionSystem)
