import ArgumentParser

struct GroupsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "groups",
        abstract: "Divides many items into groups of limited size, one CronJob each.",
        subcommands: [AssignCommand.self, ApplyCommand.self, WatchCommand.self])
}
