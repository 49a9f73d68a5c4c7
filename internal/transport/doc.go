// Package transport moves frames between nodes and knows no message.
//
// # Links
//
// Links are one-directional: each member dials every other member and sends its
// frames on the link that it dialled; answers come back on the link that the
// other member dialled. What the accepting side writes on such a link are
// replies to keep-alives only. A client link (Hello.Client) is answered on the
// connection it came by.
//
// # Bytes
//
// A connection begins with a preamble and a [Hello] each way:
//
//	"OURO" | lowest version spoken, u16 | highest version spoken, u16 | frame
//
// and goes on with frames:
//
//	length of the body, u32 | CRC-32C of the body, u32 | body
//
// all little-endian. A frame with an empty body is a keep-alive, which the
// accepting side sends back. The cluster and the protocol version are checked
// before anything else is told, so who knows neither the cluster's name nor its id
// learns nothing of it. Nothing proves that a side is what it says: a network that
// strangers reach needs more.
//
// # Promises
//
// Frames of one session arrive in the order they were sent, whole and at most
// once. A link that breaks loses what was under way; the next one has another
// session number. Nothing is sent twice.
//
// Memory is bounded: what a peer does not read is refused with [ErrFull] beyond
// Config.MaxPending; what arrives takes at most four times the bytes that came, not
// what a length field claims.
package transport
