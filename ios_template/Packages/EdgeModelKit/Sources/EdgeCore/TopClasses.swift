/// A class and how sure the model is of it.
public struct ScoredClass: Sendable, Equatable {
    public let index: Int
    public let label: String?
    public let score: Float

    public init(index: Int, label: String?, score: Float) {
        self.index = index
        self.label = label
        self.score = score
    }
}

/// The best classes of one row of scores.
public enum TopClasses {
    /// The best classes, best first; equal scores keep their order, NaN is never a class.
    ///
    /// - Parameters:
    ///   - threshold: classes below it are left out; 0.0 leaves out none.
    ///   - labels: names by index; may be shorter than the scores.
    public static func best(_ scores: [Float], topK: Int, threshold: Double, labels: [String]) -> [ScoredClass] {
        let places = scores.indices.filter { index in
            !scores[index].isNaN && (threshold == 0 || Double(scores[index]) >= threshold)
        }
        return Ranking.descending(places, by: scores).prefix(topK).map { index in
            ScoredClass(index: index, label: labels.element(index), score: scores[index])
        }
    }
}

enum Ranking {
    /// The places with the highest score first; equal scores, and 0.0 and -0.0, keep their order. No score is NaN.
    static func descending<Score: BinaryFloatingPoint>(_ places: [Int], by scores: [Score]) -> [Int] {
        places.sorted { one, other in
            scores[one] > scores[other] || (scores[one] == scores[other] && one < other)
        }
    }
}

extension Array {
    /// The element, or nil where there is none.
    func element(_ index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}
