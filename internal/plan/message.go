package plan

import "encoding/binary"

// Verb is the first word of a protocol message, docs/protocol.md.
type Verb uint32

// The verbs.
const (
	Spawned  Verb = 1 + iota // init → parent: it has forked, and ends; A is the child's pid
	CallVerb                 // init → parent: do the host steps of call A
	Done                     // parent → init: they are done
	Fail                     // init → parent or start: step Step failed with errno A
	PlanVerb                 // parent → init: the plan, and the fds of Plan.Pass, come along
)

// Detail of a Fail that the errno alone does not tell.
const (
	DetailNone      = iota
	DetailNotInPath // find: in no directory of PATH
	DetailOutside   // chdir: the directory lies outside the root (CVE-2024-21626)
	DetailNotNull   // open_tree: the host's /dev/null is not the device 1:3
	DetailProc      // attach: the destination turned out to lie in a procfs
	DetailPlace     // attach: the destination could not be made, or not be reached
	DetailUIDMap    // fork: uid_map could not be written
	DetailGIDMap    // fork: gid_map could not be written
	DetailNoDevpts  // ptmx: the directory is not the root of a devpts
	DetailDevice    // copy_up: the directory has a device in it
	DetailDeep      // copy_up: directories lie too deep in it
)

// TextMax is the longest text, in bytes, that an answer may carry.
const TextMax = 4096

// MessageSize is the size of a message in bytes, the text of a Done aside.
const MessageSize = 16

// Message is what goes over the socket, with fds if the verb has some.
type Message struct {
	Verb Verb
	Step uint32
	A    int32  // Call: its number. Fail: the errno. Spawned: the pid
	B    uint32 // Fail: the detail. Done: the length of the text
}

// Append encodes the message.
func (m Message) Append(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint32(b, uint32(m.Verb))
	b = le.AppendUint32(b, m.Step)
	b = le.AppendUint32(b, uint32(m.A))
	return le.AppendUint32(b, m.B)
}

// ParseMessage decodes a message; ok is false if b is too short.
func ParseMessage(b []byte) (m Message, ok bool) {
	if len(b) < MessageSize {
		return Message{}, false
	}
	le := binary.LittleEndian
	return Message{Verb(le.Uint32(b)), le.Uint32(b[4:]), int32(le.Uint32(b[8:])), le.Uint32(b[12:])}, true
}
