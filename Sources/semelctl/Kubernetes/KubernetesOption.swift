import ArgumentParser
import Semel
import SemelKEDA
import SemelKubernetes

/// `--kubeconfig`, `--context` and `--namespace`: which cluster is meant and where in it, the same for every command that
/// has to do with one.
struct KubernetesOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            """
            The kubeconfig; without it the files of KUBECONFIG, else ~/.kube/config, else the service account of the pod \
            that this runs in.
            """, valueName: "path"))
    var kubeconfig: String?

    @Option(help: ArgumentHelp("A context of the kubeconfig, in place of its current one.", valueName: "name"))
    var context: String?

    @Option(
        name: [.customLong("namespace"), .customShort("n")],
        help: ArgumentHelp("The namespace; that of the context when it is not given.", valueName: "name"))
    var namespace: String?

    /// One of its flags that was given.
    var givenFlag: String? {
        [("--kubeconfig", kubeconfig), ("--context", context), ("--namespace", namespace)].first { $0.1 != nil }?.0
    }

    /// Reads what is known of the cluster; nothing is connected to yet.
    func configuration() throws(CommandFailure) -> KubernetesConfiguration {
        do throws(KubernetesError) {
            return try KubernetesConfiguration.find(kubeconfig: kubeconfig, context: context, namespace: namespace)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Gives a client to what needs one, and closes it afterwards. What the API server warns of is said on standard error.
    func withClient<Result>(
        _ body: (KubernetesClient) async throws(CommandFailure) -> Result
    ) async throws(CommandFailure) -> Result {
        let client = KubernetesClient(try configuration()) { warning in
            StandardError.write("semelctl: the API server warns: \(warning.onOneLine)\n")
        }
        do throws(CommandFailure) {
            let result = try await body(client)
            await client.close()
            return result
        } catch {
            await client.close()
            throw error
        }
    }
}

extension CommandFailure {
    init(_ error: KubernetesError) {
        self.init(error.description, error.outcome)
    }
}
