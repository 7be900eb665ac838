import Hummingbird
import HummingbirdCore

struct ConsoleContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// `nil` for somebody who has not been let in, which only few paths see.
    var visitor: Visitor?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
    }
}
