import Foundation
import KubernetesStandIn
import TestSupport

// semel-kube-standin FILE: an API server for as long as standard input is open, and its kubeconfig in FILE.
guard CommandLine.arguments.count == 2 else {
    FileHandle.standardError.write(Data("usage: semel-kube-standin KUBECONFIG\n".utf8))
    exit(64)
}
do {
    let server = try await KubernetesStandIn()
    try server.kubeconfig().write(toFile: CommandLine.arguments[1], atomically: true, encoding: .utf8)
    FileHandle.standardOutput.write(Data("\(server.url)\n".utf8))
    while readLine() != nil {}
    try await server.stop()
} catch {
    FileHandle.standardError.write(Data("semel-kube-standin: \(error)\n".utf8))
    exit(70)
}
