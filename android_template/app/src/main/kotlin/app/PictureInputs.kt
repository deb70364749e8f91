package [[ options.application_id ]]

import edge.core.ElementType
import edge.core.ImageSpec
import edge.core.Picture
import edge.core.Preprocess
import edge.core.Preprocessor
import edge.core.Tensor
import edge.core.TensorSpec
import edge.core.generated.ModelSpec
import edge.runtime.BitmapPictures

/**
 * Makes the model's inputs of pictures, frame after frame; the arrays are kept. Not for several threads at once.
 *
 * @param recorded gives values for the inputs that are no pictures.
 */
class PictureInputs(private val recorded: () -> Map<String, Tensor>) {
    val bitmaps = BitmapPictures()

    private val makers =
        ModelSpec.inputs.mapNotNull { spec -> spec.image?.let { spec.name to maker(spec, it) } }.toMap()

    /** All inputs; they hold until the next call. */
    fun of(picture: Picture): Map<String, Tensor> {
        val pictures = makers.mapValues { (_, make) -> make(picture) }
        return if (pictures.size == ModelSpec.inputs.size) pictures else Customisation.inputs(recorded()) + pictures
    }

    private fun maker(spec: TensorSpec, image: ImageSpec): (Picture) -> Tensor {
        if (spec.type != ElementType.FLOAT32 || spec.size != image.size) return { Preprocess.tensor(it, spec) }
        val preprocessor = Preprocessor(image)
        val tensor = Tensor.Floats(FloatArray(spec.size), spec.shape)
        return { picture -> tensor.also { preprocessor.image(picture, it.values) } }
    }
}
