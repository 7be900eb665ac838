import Foundation
import SemelKEDA

/// The files in which a kubeconfig is, in the order in which they count.
struct KubeconfigFiles {
    private let paths: [String]
    /// Whether the file has to be there.
    private let isNamed: Bool
    /// For whoever has none.
    let absence: String

    init(named: String?, _ environment: [String: String]) {
        isNamed = named != nil
        let list = environment["KUBECONFIG"] ?? ""
        if let named {
            paths = [named]
            absence = "--kubeconfig: \(named) is not there"
        } else if !list.isEmpty {
            paths = list.split(separator: ":").map(String.init)
            absence = "KUBECONFIG: no file of \(list) is there"
        } else {
            let file = "\(environment["HOME"] ?? "")/.kube/config"
            paths = [file]
            absence = "no kubeconfig: KUBECONFIG is not set, \(file) is not there"
        }
    }

    /// `nil` when there is no file, or nothing in them.
    func read() throws(KubernetesError) -> Kubeconfig? {
        var config = Kubeconfig()
        for path in paths {
            guard FileManager.default.fileExists(atPath: path) else {
                if isNamed { throw .misconfigured("\(absence)") }
                continue
            }
            let text = try KubernetesFile.text(path, "the kubeconfig")
            let documents: [YAMLValue]
            do throws(ManifestError) {
                documents = try YAMLReader.documents(in: text, file: path)
            } catch {
                throw .misconfigured(error.description)
            }
            // As in Go: whatever follows the first document is not looked at.
            if let document = documents.first { try config.add(document, file: path) }
        }
        if config.isEmpty {
            if isNamed { throw .misconfigured("--kubeconfig: \(paths[0]) has no clusters and no contexts in it") }
            return nil
        }
        return config
    }
}

/// An object of a kubeconfig whose fields are of known types. Nothing of what is in it is ever said.
struct KubeconfigObject {
    let value: YAMLValue
    /// `users[0].user`
    let path: String

    func problem(_ field: String, _ message: String, at value: YAMLValue? = nil) -> KubernetesError {
        let place = field.isEmpty ? path : path.isEmpty ? field : "\(path).\(field)"
        return .misconfigured("\((value ?? self.value).position): \(place.isEmpty ? "" : "\(place): ")\(message)")
    }

    private func given(_ field: String) throws(KubernetesError) -> YAMLValue? {
        guard value.fields != nil || value.isNull else {
            throw problem("", "is \(value.typeName), where an object has to be")
        }
        guard let given = value[field], !given.isNull else { return nil }
        return given
    }

    /// Text that is not empty.
    func text(_ field: String) throws(KubernetesError) -> String? {
        guard let given = try given(field) else { return nil }
        guard case .scalar(let scalar) = given.content, scalar.kind == .string else {
            let remedy = given.text == nil ? "" : "; write it in quotes"
            throw problem(field, "is \(given.typeName), where text has to be\(remedy)", at: given)
        }
        return scalar.text.isEmpty ? nil : scalar.text
    }

    func requiredText(_ field: String) throws(KubernetesError) -> String {
        guard let text = try text(field) else { throw problem(field, "is missing") }
        return text
    }

    func flag(_ field: String) throws(KubernetesError) -> Bool {
        guard let given = try given(field) else { return false }
        guard case .scalar(let scalar) = given.content, let flag = scalar.boolean else {
            throw problem(field, "is \(given.typeName); write true or false, without quotes", at: given)
        }
        return flag
    }

    /// Base64 of PEM.
    func data(_ field: String) throws(KubernetesError) -> [UInt8]? {
        guard let text = try text(field) else { return nil }
        let plain = text.filter { !$0.isWhitespace }
        guard let data = Data(base64Encoded: plain) else {
            throw problem(field, "is not base64", at: value[field])
        }
        return Array(data)
    }

    func texts(_ field: String) throws(KubernetesError) -> [String] {
        var texts: [String] = []
        for element in try elements(field) {
            guard case .scalar(let scalar) = element.value.content, scalar.kind == .string else {
                throw element.problem("", "is \(element.value.typeName), where text has to be")
            }
            texts.append(scalar.text)
        }
        return texts
    }

    func object(_ field: String) throws(KubernetesError) -> KubeconfigObject? {
        guard let given = try given(field) else { return nil }
        let inner = KubeconfigObject(value: given, path: path.isEmpty ? field : "\(path).\(field)")
        guard given.fields != nil else {
            throw inner.problem("", "is \(given.typeName), where an object has to be")
        }
        return inner
    }

    func elements(_ field: String) throws(KubernetesError) -> [KubeconfigObject] {
        guard let given = try given(field) else { return [] }
        guard let elements = given.elements else {
            throw problem(field, "is \(given.typeName), where a list has to be", at: given)
        }
        return elements.enumerated().map { index, element in
            KubeconfigObject(value: element, path: (path.isEmpty ? field : "\(path).\(field)") + "[\(index)]")
        }
    }
}
