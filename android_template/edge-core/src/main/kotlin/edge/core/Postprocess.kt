package edge.core

/**
 * What outputs mean.
 *
 * @param tensors outputs that stay numbers, with their activation applied.
 * @param classes by output, best first.
 * @param detections in place of the outputs that they are made of; null for a model without boxes.
 */
class Meaning(
    val tensors: Map<String, Tensor>,
    val classes: Map<String, List<ScoredClass>>,
    val detections: List<Detection>?,
)

/** From output tensors to what they mean: activations, classes, boxes. */
object Postprocess {
    /** The meaning of one sample's outputs, as the contract has it. */
    fun outputs(outputs: Map<String, Tensor>, facts: ModelFacts): Meaning {
        val tensors = LinkedHashMap<String, Tensor>()
        val classes = LinkedHashMap<String, List<ScoredClass>>()
        val taken = facts.detections?.outputs.orEmpty()
        for ((name, tensor) in outputs) {
            if (name in taken) continue
            val rule = facts.output(name).postprocess
            val topK = rule?.topK
            when {
                rule == null -> tensors[name] = tensor
                topK != null -> {
                    requireRow(name, tensor)
                    classes[name] = TopClasses.best(active(tensor, rule).toFloats(), topK, rule.threshold, facts.labels)
                }
                else -> tensors[name] = active(tensor, rule)
            }
        }
        return Meaning(tensors, classes, facts.detections?.let { Boxes.detect(outputs, it, facts.labels) })
    }

    private fun active(tensor: Tensor, rule: PostprocessSpec): Tensor =
        if (rule.activation == Activation.NONE) {
            tensor
        } else {
            Tensor.Floats(Activations.apply(tensor.toFloats(), tensor.shape.lastOrNull() ?: 1, rule.activation), tensor.shape)
        }

    private fun requireRow(name: String, tensor: Tensor) {
        if (tensor.shape.isEmpty() || tensor.shape.dropLast(1).any { it != 1 }) {
            throw ModelError("output $name has shape ${tensor.shape}", "top_k needs one row of scores: [1, classes]")
        }
    }
}
