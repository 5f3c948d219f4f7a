package vigiav1

// Protocol is the number of the protocol that this build speaks.
//
// History:
//
//	1  2026-11-23  first
const Protocol = 1

// OldestProtocol is the oldest protocol that this build still understands.
const OldestProtocol = 1
