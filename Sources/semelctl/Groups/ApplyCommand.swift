import ArgumentParser
import Semel
import SemelGroups
import SemelKubernetes

struct ApplyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "apply",
        abstract: "Sees to it that there is a CronJob for every group.",
        discussion: """
            What groups.yaml and the state come to is compared with the cluster, and what differs is applied, with \
            server-side apply. Before the first change the API server is asked about every one of them (dryRun=All): a \
            CronJob that it refuses, a permission that is missing, or a field that somebody else has set ends the command, \
            and nothing has changed.

            CronJobs without the label semel/groups=NAME are never touched. Those that carry it and belong to no group any \
            more are deleted with --prune, as soon as no Job of them runs.

            Exit codes: 0 everything is as it should be; 64 wrong usage; 69 the API server cannot be reached; 70 internal \
            error; 75 somebody else keeps changing the same CronJobs; 77 a permission is missing; 78 a wrong file, or a \
            CronJob that Kubernetes refuses or that is somebody else's; 130 or 143 stopped by a signal.
            """)

    @OptionGroup var groupsFile: GroupsFileOption
    @OptionGroup var kubernetes: KubernetesOption

    @Flag(help: "Shows what would be done, and does nothing.")
    var dryRun = false

    @Flag(help: "Deletes the CronJobs of groups that are no more.")
    var prune = false

    @Flag(help: "Takes fields over that somebody else has set, such as with kubectl edit.")
    var forceConflicts = false

    @Flag(help: "Prints a JSON object in place of the table.")
    var json = false

    func run() async throws {
        let file = try groupsFile.read(namespace: kubernetes.namespace)
        let reader = try GroupStateReader(file, groupsFile)
        try await kubernetes.withClient { client throws(CommandFailure) in
            let application = GroupApplication(
                file, try await reader.read(client), client, force: forceConflicts, prune: prune)
            let plan = try await application.plan()
            let output = PlanOutput(plan, file.name, prune: prune)
            if dryRun { return try output.write(json: json, isDone: false) }
            let progress = GroupProgress("applied", of: output.changeCount)
            do throws(CommandFailure) {
                try await application.carryOut(plan, progress)
            } catch {
                throw CommandFailure("\(error); \(progress.summary), the rest at the next run", error.outcome)
            }
            try output.write(json: json, isDone: true)
        }
    }
}
