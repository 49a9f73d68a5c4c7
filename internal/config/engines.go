package config

// The storage engines, as they are named in a configuration and in a data folder.
const (
	EnginePebble = "pebble" // a log-structured merge tree
	EngineBolt   = "bbolt"  // a B+tree in one file
	EngineMemory = "memory" // forgets when its process ends

	// MemoryOver is what the names of engines begin with that answer from memory and
	// keep everything in another, whose name follows.
	MemoryOver = "memory+"
)

// Engines lists the storage engines.
func Engines() []string {
	return []string{EnginePebble, EngineBolt, EngineMemory, MemoryOver + EnginePebble, MemoryOver + EngineBolt}
}
