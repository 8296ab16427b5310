import H5ConvConfig
import H5ConvDiagnostics

/// Which places of a picture count for a class, to be drawn over the picture.
package struct ExplanationMap: Sendable {
  /// As the method was asked for: `gradcam`.
  package var method: String
  /// The layer that was looked at; nil where it was the input.
  package var layer: String?
  /// The class; nil for a method that looks at none.
  package var classIndex: Int?
  package var label: String?
  /// The class's score before softmax or sigmoid.
  package var score: Double
  /// How much each place counts: rows of `width` numbers, from the top.
  package var values: [Float]
  package var height: Int
  package var width: Int
  /// The method's own error, where it has one.
  package var completenessGap: Double?
  /// What one should know.
  package var notes: [String]

  package init(
    method: String, layer: String?, classIndex: Int?, label: String?, score: Double, values: [Float], height: Int,
    width: Int, completenessGap: Double?, notes: [String]
  ) {
    (self.method, self.layer, self.classIndex, self.label) = (method, layer, classIndex, label)
    (self.score, self.values, self.height, self.width) = (score, values, height, width)
    (self.completenessGap, self.notes) = (completenessGap, notes)
  }

  /// Method and layer, as they are asked for: `gradcam:block5_conv3`.
  package var name: String { layer.map { "\(method):\($0)" } ?? method }

  /// Least and greatest finite value; 0 and 0 when there are none.
  var extremes: ClosedRange<Float> {
    let finite = values.filter(\.isFinite)
    return (finite.min() ?? 0)...(finite.max() ?? 0)
  }
}

extension ExplanationMap {
  /// What every description of it for programs tells.
  var json: JSONObject {
    [
      "method": .string(method),
      "layer": layer.map { .string($0) } ?? .null,
      "class": classIndex.map { .int($0) } ?? .null,
      "label": label.map { .string($0) } ?? .null,
      "score": .double(score),
      "completeness_gap": completenessGap.map { .double($0) } ?? .null,
      "notes": .array(notes.map { .string($0) }),
    ]
  }
}
