# The default model of remyelin's crossover in lme4: participant, eye and participant by period, crossed.
# R 4.2.2, lme4 1.1-31, lmerTest 3.1-3, pbkrtest 0.5.2. Rscript crossover_lme4.R FOLDER > crossover_lme4.json
# FOLDER holds c1_crossover_complete.csv and c2_crossover_incomplete.csv.
suppressMessages({library(lmerTest); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
formulas <- list(
  "crossover" = latency ~ treatment + period + sequence,
  "baseline-adjusted" = latency ~ treatment + period + base_latency,
  "delayed-treatment" = latency ~ exposed + base_latency,
  "delayed-treatment, period-adjusted" = latency ~ exposed + period + base_latency
)
one <- function(fixed, d) {
  full <- update(fixed, . ~ . + (1 | patient) + (1 | eye_id) + (1 | both))
  m <- lmer(full, d, control = lmerControl(optimizer = "bobyqa", optCtrl = list(rhoend = 1e-10, maxfun = 1e6)))
  table <- function(ddf) {
    found <- as.data.frame(summary(m, ddf = ddf)$coefficients)
    setNames(split(unname(as.matrix(found)), row(found)), rownames(found))
  }
  v <- as.data.frame(VarCorr(m))
  list(singular = isSingular(m, tol = 1e-6), criterion = as.numeric(REMLcrit(m)),
       variances = as.list(setNames(v$vcov, v$grp)),
       kenward_roger = table("Kenward-Roger"), satterthwaite = table("Satterthwaite"))
}
result <- lapply(c(c1 = "c1_crossover_complete", c2 = "c2_crossover_incomplete"), function(name) {
  d <- read.csv(file.path(folder, paste0(name, ".csv")))
  d$exposed <- as.numeric(d$sequence == "AB" | d$period == 2)
  d$period <- factor(d$period)
  d$treatment <- relevel(factor(d$treatment), "placebo")
  d$both <- interaction(d$patient, d$period)
  lapply(formulas, one, d)
})
cat(toJSON(result, auto_unbox = TRUE, digits = 15, pretty = TRUE), "\n")
