/// What the kubelet does with `$` in a container's command, arguments and variables.
enum Kubelet {
    /// `$(NAME)` is a variable's value where there is one, and stays as it is where there is none; `$$` is a `$`.
    static func expand(_ text: String, _ variables: [String: String]) -> String {
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.first == "(", let end = rest.firstIndex(of: ")") {
                let name = String(rest[..<end].dropFirst())
                result += variables[name] ?? "$(\(name))"
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
                if rest.first == "$" { rest = rest.dropFirst() }
            }
        }
        return result + rest
    }
}
