import CLinux

/// The compiled-in text as a C string.
func cString(_ text: StaticString) -> UnsafePointer<CChar> {
    UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

func say(_ text: StaticString, to fd: Int32) {
    // Nobody could be told that this failed.
    _ = faf_write_all(fd, text.utf8Start, text.utf8CodeUnitCount)
}

func isArgument(_ index: Int32, _ word: StaticString) -> Bool {
    guard let argument = faf_argument(index) else { return false }
    let count = word.utf8CodeUnitCount
    for offset in 0..<count where UInt8(bitPattern: argument[offset]) != word.utf8Start[offset] { return false }
    return argument[count] == 0
}

func length(of text: UnsafePointer<CChar>) -> Int {
    var count = 0
    while text[count] != 0 { count += 1 }
    return count
}

/// The bytes of a C string, without its NUL.
func bytes(of text: UnsafePointer<CChar>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(start: text, count: length(of: text))
}
