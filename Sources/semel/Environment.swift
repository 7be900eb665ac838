import Glibc

enum Environment {
    /// The process' variables, without the cost of a library that does the same.
    static var current: [String: String] {
        var variables = [String: String](minimumCapacity: 64)
        var entry = environ
        while let text = entry.pointee {
            if let equals = strchr(text, CInt(UInt8(ascii: "="))) {
                let name = UnsafeRawBufferPointer(start: text, count: equals - text)
                variables[String(decoding: name, as: UTF8.self)] = String(cString: equals + 1)
            }
            entry += 1
        }
        return variables
    }
}
