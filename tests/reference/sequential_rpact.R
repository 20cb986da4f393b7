# What sequential_rpact.json was made with: R 4.2.2, rpact 3.3.4. Rscript sequential_rpact.R > sequential_rpact.json
suppressMessages({library(rpact); library(jsonlite)})
design <- function(...) {
  d <- getDesignGroupSequential(...)
  c <- getDesignCharacteristics(d)
  list(critical = d$criticalValues, futility = I(d$futilityBounds), shift = c$shift,
       asn = c(c$averageSampleNumber0, c$averageSampleNumber01, c$averageSampleNumber1))
}
of <- getDesignGroupSequential(typeOfDesign = "asOF", informationRates = c(.4, .7, 1))
seen <- getDataset(n = c(40, 30, 30), means = c(.1, .2, .35), stDevs = c(1, 1, 1))
stages <- getStageResults(of, seen, normalApproximation = TRUE)
invisible(capture.output(final <- getAnalysisResults(of, seen, normalApproximation = TRUE)))
rates <- getSampleSizeRates(getDesignGroupSequential(typeOfDesign = "asOF", informationRates = c(.5, 1)),
                            pi1 = .55, pi2 = .35)
cat(toJSON(list(
  designs = list(
    "asOF bsOF binding" = design(typeOfDesign = "asOF", informationRates = c(.3, .7, 1), typeBetaSpending = "bsOF",
                                 beta = .1, bindingFutility = TRUE),
    "asOF bsOF" = design(typeOfDesign = "asOF", informationRates = c(.3, .7, 1), typeBetaSpending = "bsOF", beta = .1),
    "asHSD bsHSD" = design(typeOfDesign = "asHSD", gammaA = -2, informationRates = c(.2, .5, .8, 1),
                           typeBetaSpending = "bsHSD", gammaB = -1),
    "asKD bsKD" = design(typeOfDesign = "asKD", gammaA = 1.5, informationRates = c(.4, 1),
                         typeBetaSpending = "bsKD", gammaB = 2),
    "asP bsP binding" = design(typeOfDesign = "asP", informationRates = c(.5, 1), typeBetaSpending = "bsP",
                               bindingFutility = TRUE),
    "of futility binding" = design(typeOfDesign = "OF", informationRates = c(.5, 1), futilityBounds = .3,
                                   bindingFutility = TRUE),
    "pocock two-sided" = design(typeOfDesign = "P", sided = 2, alpha = .05, informationRates = (1:5) / 5),
    "wang-tsiatis futility" = design(typeOfDesign = "WT", deltaWT = .1, informationRates = c(.2, .6, 1),
                                     futilityBounds = c(-.5, .5)),
    "asP two-sided" = design(typeOfDesign = "asP", sided = 2, alpha = .05, informationRates = (1:10) / 10)
  ),
  final = list(n = c(40, 70, 100), z = stages$overallTestStatistics, sd = stages$overallStDevs[3],
               p = final$finalPValues[3], low = final$finalConfidenceIntervalLowerBounds[3],
               high = final$finalConfidenceIntervalUpperBounds[3], median = final$medianUnbiasedEstimates[3]),
  rates = list(n = rates$maxNumberOfSubjects, critical = I(as.vector(rates$criticalValuesEffectScale)))
), digits = NA, auto_unbox = TRUE, pretty = TRUE), "\n")
