// Package vigiav1 owns the protocol between agent and collector: the messages and
// services generated from agent.proto, and the protocol's number. It refuses to
// translate; that is the business of internal/wire.
package vigiav1

// Protocol is the number of the protocol that this build speaks.
//
// History:
//
//	1  2026-11-23  first
//	1  2026-11-28  Update and Fetch are added; who does not know them answers UNIMPLEMENTED
//	   2026-11-28  AgentStatus.ca_fingerprints and TrustUpdate.renew_within_ms: who does not know them passes them over
const Protocol = 1

// OldestProtocol is the oldest protocol that this build still understands.
const OldestProtocol = 1
