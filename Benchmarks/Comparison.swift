/// What one program was measured at, again and again.
struct Samples {
    let values: [Double]

    var median: Double {
        let sorted = values.sorted()
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
    var lowest: Double { values.min() ?? .nan }
    var highest: Double { values.max() ?? .nan }
}

/// Two programs measured in pairs, A B, B A, A B…, so that whatever else the machine did meanwhile met both. The ratio
/// is taken within each pair.
struct Comparison {
    let first: Samples
    let second: Samples
    let ratios: Samples

    var pairs: Int { ratios.values.count }

    /// Each side prepares what it needs, then gives the seconds of what counts. The first rounds are not recorded:
    /// they fill caches.
    static func inPairs(
        _ pairs: Int, warmUp: Int = 3, _ first: () async throws -> Double, _ second: () async throws -> Double
    ) async throws -> Comparison {
        var (firsts, seconds): ([Double], [Double]) = ([], [])
        for round in 0..<warmUp + pairs {
            var (a, b) = (0.0, 0.0)
            if round % 2 == 0 {
                a = try await first()
                b = try await second()
            } else {
                b = try await second()
                a = try await first()
            }
            guard round >= warmUp else { continue }
            firsts.append(a)
            seconds.append(b)
        }
        return Comparison(
            first: Samples(values: firsts), second: Samples(values: seconds),
            ratios: Samples(values: zip(firsts, seconds).map { $0 / $1 }))
    }
}
