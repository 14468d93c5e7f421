// Package attach shows a running rollout to whoever looks at a terminal: as a
// full screen that follows it and takes commands ([Screen]), as one line for
// each thing that happens, for logs ([Plain]), or as JSON for programs
// ([JSON]).
//
// All three are fed by a server's stream and outlive the server: when the
// connection is lost they say so, keep what they last knew, and reconnect. A
// decision is shown once, however often the stream repeats it.
//
// The screen is a value that messages change and that draws itself as text.
// It fits 80 columns by 24 lines and larger, needs no colour, and says in
// words whatever a colour says as well.
package attach
