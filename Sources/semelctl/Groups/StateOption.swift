import ArgumentParser
import Semel

/// `--state`, and which cluster it is in where that is a ConfigMap.
struct StateOption: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where the state of the groups is: a file, or \(ConfigMapPlace.form).", valueName: "path"))
    var state: String

    @OptionGroup(title: "The cluster of a ConfigMap") var kubernetes: KubernetesOption

    func withStore<Result>(
        _ body: (any StateStore) async throws(CommandFailure) -> Result
    ) async throws(CommandFailure) -> Result {
        guard ConfigMapPlace.isMeant(by: state) else {
            if let flag = kubernetes.givenFlag {
                throw .usage("\(flag): has a meaning only with --state configmap:NAME")
            }
            return try await body(try StateFile(path: state))
        }
        guard let place = ConfigMapPlace(state) else {
            throw .usage("--state: ‘\(state)’ is not \(ConfigMapPlace.form)")
        }
        return try await kubernetes.withClient { client throws(CommandFailure) in
            try await body(StateConfigMap(client, place))
        }
    }
}
